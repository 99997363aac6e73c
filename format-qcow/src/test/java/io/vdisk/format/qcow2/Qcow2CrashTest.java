package io.vdisk.format.qcow2;

import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.Subject;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

@Timeout(3600)
class Qcow2CrashTest {
  /** Many L2 tables and refcount blocks, and a refcount table that moves: 64-bit counts. */
  @Nested
  class SmallClusters extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(
          (4 << 20) + 3 * 512, Map.of("cluster_size", "512", "refcount_bits", "64"));
    }
  }

  /** Clusters of several sectors, tables of one slice. */
  @Nested
  class PageSizedClusters extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((4 << 20) + 512, Map.of("cluster_size", "4k"));
    }
  }

  /** As most images are. */
  @Nested
  class UsualClusters extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(6 << 20, Map.of());
    }
  }

  /** Enciphered by the guest's sectors. */
  @Nested
  class EncryptedByAes extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(2 << 20, Map.of("cluster_size", "4k", "encrypt.format", "aes"));
    }
  }

  /** Enciphered by where clusters lie in the file. */
  @Nested
  class Luks extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(2 << 20, Qcow2Subject.LUKS);
    }
  }

  /** No zero clusters; counts of 16 bits. */
  @Nested
  class Version2 extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(2 << 20, Map.of("compat", "0.10", "cluster_size", "1k"));
    }
  }

  /** Counts that know only used and free. */
  @Nested
  class OneBitCounts extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(2 << 20, Map.of("refcount_bits", "1", "cluster_size", "1k"));
    }
  }

  /** Subclusters, whose states are a second word. */
  @Nested
  class ExtendedL2 extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((2 << 20) + 512, Qcow2Subject.EXTENDED);
    }
  }

  /** Tables in one file, guest data in another. */
  @Nested
  class DataFile extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((2 << 20) + 512, Qcow2Subject.DATA_FILE);
    }
  }

  /** The same, where the other is a raw disk. */
  @Nested
  class RawDataFile extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((2 << 20) + 512, Qcow2Subject.RAW_DATA_FILE);
    }
  }

  /** Tables and clusters are shared, and copied when they are written. */
  @Nested
  class Snapshots extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject.Snapshotting((2 << 20) + 512, Map.of("cluster_size", "4k"));
    }
  }

  /** The same with subclusters. */
  @Nested
  class SnapshotsOfExtendedL2 extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject.Snapshotting(2 << 20, Qcow2Subject.EXTENDED);
    }
  }

  /** Bitmaps that are in use while the power fails. */
  @Nested
  class Bitmaps extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject.Marking(2 << 20, Map.of("cluster_size", "1k"));
    }
  }

  /** The permission to be lazy, which we do not take. */
  @Nested
  class LazyRefcounts extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(2 << 20, Map.of("lazy_refcounts", "on", "cluster_size", "4k"));
    }
  }

  /** The same with many tables, in pieces of many clusters, and refcounts that move. */
  @Nested
  class SnapshotsOfSmallClusters extends CrashContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject.Snapshotting(
          1 << 20, Map.of("cluster_size", "512", "refcount_bits", "64"));
    }
  }
}

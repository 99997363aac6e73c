package io.vdisk.format.qcow2;

import io.vdisk.testkit.FaultContract;
import io.vdisk.testkit.Subject;
import java.util.Map;
import org.junit.jupiter.api.Nested;

class Qcow2FaultTest {
  @Nested
  class SmallClusters extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((1 << 20) + 3 * 512, Map.of("cluster_size", "512"));
    }
  }

  @Nested
  class EncryptedByAes extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(1 << 20, Map.of("cluster_size", "4k", "encrypt.format", "aes"));
    }
  }

  @Nested
  class Luks extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(1 << 20, Qcow2Subject.LUKS);
    }
  }

  @Nested
  class UsualClusters extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(2 << 20, Map.of());
    }
  }

  /** Subclusters, whose states are a second word. */
  @Nested
  class ExtendedL2 extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((1 << 20) + 512, Qcow2Subject.EXTENDED);
    }
  }

  /** Tables in one file, guest data in another. */
  @Nested
  class DataFile extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((1 << 20) + 512, Qcow2Subject.DATA_FILE);
    }
  }

  /** The same, where the other is a raw disk. */
  @Nested
  class RawDataFile extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((1 << 20) + 512, Qcow2Subject.RAW_DATA_FILE);
    }
  }

  /** Tables and clusters are shared, and copied when they are written. */
  @Nested
  class Snapshots extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject.Snapshotting((1 << 20) + 512, Map.of("cluster_size", "4k"));
    }
  }

  /** The same with subclusters. */
  @Nested
  class SnapshotsOfExtendedL2 extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject.Snapshotting(1 << 20, Qcow2Subject.EXTENDED);
    }
  }

  /** Bitmaps that are in use while the power fails. */
  @Nested
  class Bitmaps extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject.Marking(1 << 20, Map.of("cluster_size", "1k"));
    }
  }

  /** The permission to be lazy, which we do not take. */
  @Nested
  class LazyRefcounts extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(1 << 20, Map.of("lazy_refcounts", "on", "cluster_size", "4k"));
    }
  }

  /** The same with many tables, in pieces of many clusters, and refcounts that move. */
  @Nested
  class SnapshotsOfSmallClusters extends FaultContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject.Snapshotting(
          1 << 20, Map.of("cluster_size", "512", "refcount_bits", "64"));
    }
  }
}

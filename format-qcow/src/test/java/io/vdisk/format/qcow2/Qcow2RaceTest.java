package io.vdisk.format.qcow2;

import io.vdisk.testkit.RaceContract;
import io.vdisk.testkit.Subject;
import java.util.Map;
import org.junit.jupiter.api.Nested;

class Qcow2RaceTest {
  @Nested
  class SmallClusters extends RaceContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(
          (1 << 20) + 3 * 512, Map.of("cluster_size", "2k", "refcount_bits", "1"));
    }
  }

  /** Sectors that two writers share are enciphered together. */
  @Nested
  class Luks extends RaceContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(1 << 20, Qcow2Subject.LUKS);
    }
  }

  @Nested
  class UsualClusters extends RaceContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject(4 << 20, Map.of());
    }
  }

  /** Subclusters, whose states are a second word. */
  @Nested
  class ExtendedL2 extends RaceContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((1 << 20) + 512, Qcow2Subject.EXTENDED);
    }
  }

  /** Tables in one file, guest data in another. */
  @Nested
  class DataFile extends RaceContract {
    @Override
    protected Subject subject() {
      return new Qcow2Subject((1 << 20) + 512, Qcow2Subject.DATA_FILE);
    }
  }
}

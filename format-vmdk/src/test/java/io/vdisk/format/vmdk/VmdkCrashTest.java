package io.vdisk.format.vmdk;

import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

/** VMDK under the contract of power cuts; every other history is that of a delta disk. */
@Timeout(3600)
class VmdkCrashTest {
  @Nested
  class Sparse extends CrashContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.sparse();
    }
  }

  @Nested
  class ZeroedGrains extends CrashContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.sparse("zeroed_grain=on", "grain_size=4096");
    }
  }

  @Nested
  class Split extends CrashContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.separate("twoGbMaxExtentSparse", "grain_size=8192", "zeroed_grain=on");
    }
  }

  @Nested
  class Cowd extends CrashContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.separate("vmfsSparse");
    }
  }

  @Nested
  class Flat extends CrashContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.separate("monolithicFlat");
    }
  }

  /** Extents of every kind. */
  @Nested
  class Custom extends CrashContract {
    @Override
    protected Subject subject() {
      return new CustomSubject();
    }
  }
}

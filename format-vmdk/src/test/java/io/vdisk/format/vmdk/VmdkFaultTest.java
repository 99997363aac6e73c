package io.vdisk.format.vmdk;

import io.vdisk.testkit.FaultContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

/** VMDK under the contract of faults. */
@Timeout(3600)
class VmdkFaultTest {
  @Nested
  class Sparse extends FaultContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.sparse();
    }

    @Override
    protected int histories() {
      return 2;
    }
  }

  @Nested
  class ZeroedGrains extends FaultContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.sparse("zeroed_grain=on", "grain_size=4096");
    }

    @Override
    protected int histories() {
      return 2;
    }
  }

  @Nested
  class Split extends FaultContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.separate("twoGbMaxExtentSparse", "grain_size=8192", "zeroed_grain=on");
    }

    @Override
    protected int histories() {
      return 2;
    }
  }

  @Nested
  class Cowd extends FaultContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.separate("vmfsSparse");
    }

    @Override
    protected int histories() {
      return 2;
    }
  }

  @Nested
  class Flat extends FaultContract {
    @Override
    protected Subject subject() {
      return VmdkSubject.separate("monolithicFlat");
    }

    @Override
    protected int histories() {
      return 2;
    }
  }

  /** Extents of every kind. */
  @Nested
  class Custom extends FaultContract {
    @Override
    protected Subject subject() {
      return new CustomSubject();
    }
  }
}

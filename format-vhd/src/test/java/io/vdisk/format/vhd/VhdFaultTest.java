package io.vdisk.format.vhd;

import io.vdisk.testkit.FaultContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;

/** VHD under the contract of faults. */
class VhdFaultTest {
  /** Blocks of 32 KiB: many places, few sectors of each. */
  @Nested
  class SmallBlocks extends FaultContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(32 << 10, false, false);
    }
  }

  /** Blocks of 2 MiB, as everywhere. */
  @Nested
  class UsualBlocks extends FaultContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(2 << 20, false, false);
    }

    @Override
    protected int histories() {
      return 2;
    }
  }

  /** With a batmap. */
  @Nested
  class XensBatmap extends FaultContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(2 << 20, true, false);
    }

    @Override
    protected int histories() {
      return 2;
    }
  }

  /** Enciphered, with a batmap. */
  @Nested
  class Encrypted extends FaultContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(2 << 20, true, true);
    }

    @Override
    protected int histories() {
      return 2;
    }
  }

  /** A fixed disk. */
  @Nested
  class Fixed extends FaultContract {
    @Override
    protected Subject subject() {
      return VhdSubject.fixed();
    }
  }

  /** Changed as a whole, its metadata written anew. */
  @Nested
  class Altered extends FaultContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(64 << 10, false, false).altering();
    }

    @Override
    protected int histories() {
      return 2;
    }
  }
}

package io.vdisk.format.vhd;

import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

/** VHD under the contract of power cuts; every other history is of a differencing disk. */
@Timeout(7200)
class VhdCrashTest {
  /** Blocks of 32 KiB: many places, few sectors of each. */
  @Nested
  class SmallBlocks extends CrashContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(32 << 10, false, false);
    }
  }

  /** Blocks of 2 MiB, as everywhere. */
  @Nested
  class UsualBlocks extends CrashContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(2 << 20, false, false);
    }
  }

  /** With a batmap. */
  @Nested
  class XensBatmap extends CrashContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(2 << 20, true, false);
    }
  }

  /** Enciphered, with a batmap. */
  @Nested
  class Encrypted extends CrashContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(2 << 20, true, true);
    }
  }

  /** A fixed disk. */
  @Nested
  class Fixed extends CrashContract {
    @Override
    protected Subject subject() {
      return VhdSubject.fixed();
    }
  }

  /** Changed as a whole, its metadata written anew. */
  @Nested
  class Altered extends CrashContract {
    @Override
    protected Subject subject() {
      return VhdSubject.sparse(64 << 10, false, false).altering();
    }
  }
}

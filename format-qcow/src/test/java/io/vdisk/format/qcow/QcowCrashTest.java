package io.vdisk.format.qcow;

import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

@Timeout(3600)
class QcowCrashTest {
  /** In the geometry of QEMU and Xen. */
  @Nested
  class Plain extends CrashContract {
    @Override
    protected Subject subject() {
      return new QcowSubject("4096", "off");
    }
  }

  /** Enciphered by the guest's sectors. */
  @Nested
  class Encrypted extends CrashContract {
    @Override
    protected Subject subject() {
      return new QcowSubject("4096", "off", true);
    }
  }

  /** L2 tables of several slices, as above a backing file. */
  @Nested
  class SmallClusters extends CrashContract {
    @Override
    protected Subject subject() {
      return new QcowSubject("512", "off");
    }
  }

  /** With an extension that is retired at the first allocation. */
  @Nested
  class XensHeader extends CrashContract {
    @Override
    protected Subject subject() {
      return new QcowSubject("4096", "on");
    }
  }
}

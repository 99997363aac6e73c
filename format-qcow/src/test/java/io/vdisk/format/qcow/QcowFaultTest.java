package io.vdisk.format.qcow;

import io.vdisk.testkit.FaultContract;
import io.vdisk.testkit.Subject;
import org.junit.jupiter.api.Nested;

/** qcow version 1 under the contract of faults. */
class QcowFaultTest {
  /** In the geometry of QEMU and Xen, with an extension that is retired. */
  @Nested
  class XensHeader extends FaultContract {
    @Override
    protected Subject subject() {
      return new QcowSubject("4096", "on");
    }
  }

  /** L2 tables of several slices, as above a backing file. */
  @Nested
  class SmallClusters extends FaultContract {
    @Override
    protected Subject subject() {
      return new QcowSubject("512", "off");
    }
  }
}

package io.vdisk.format.qcow2;

import io.vdisk.CreateOptions;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;
import org.junit.jupiter.api.Nested;

/** qcow2 keeps the contract of formats: its own images, whole ones, damaged ones. */
class Qcow2ContractTest {
  /** Many small tables. */
  @Nested
  class SmallClusters extends Contract {
    SmallClusters() {
      super("512");
    }
  }

  /** Tables of a slice. */
  @Nested
  class PageSizedClusters extends Contract {
    PageSizedClusters() {
      super("4k");
    }
  }

  private abstract static class Contract extends ImageFormatContract {
    private final String clusterSize;

    Contract(String clusterSize) {
      this.clusterSize = clusterSize;
    }

    @Override
    protected ImageFormat format() {
      return new Qcow2Format();
    }

    @Override
    protected int headerSize() {
      return Qcow2Header.VERSION_2_LENGTH;
    }

    @Override
    protected CreateOptions creation(long size) {
      return super.creation(size).withOption("cluster_size", clusterSize);
    }
  }
}

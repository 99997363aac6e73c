package io.vdisk.format.qcow2;

import io.vdisk.CreateOptions;
import io.vdisk.OpenOptions;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;
import java.util.Map;
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

  /** Whose key is behind a header that may be damaged. */
  @Nested
  class Luks extends Contract {
    Luks() {
      super("4k");
    }

    @Override
    protected CreateOptions creation(long size) {
      CreateOptions options = super.creation(size).withSecrets(Samples.SECRETS);
      for (Map.Entry<String, String> choice : Qcow2Subject.LUKS.entrySet()) {
        options = options.withOption(choice.getKey(), choice.getValue());
      }
      return options;
    }

    @Override
    protected OpenOptions opening(OpenOptions options) {
      return options.withSecrets(Samples.SECRETS);
    }

    /** Each takes as long as a passphrase does. */
    @Override
    protected int mutations() {
      return 300;
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

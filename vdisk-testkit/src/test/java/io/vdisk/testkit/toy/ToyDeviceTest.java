package io.vdisk.testkit.toy;

import io.vdisk.BlockDevice;
import io.vdisk.testkit.BlockDeviceContract;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.Nested;

/** The toys keep the contract of block devices, through the engine. */
class ToyDeviceTest {
  /** One of them. */
  abstract static class Toy extends BlockDeviceContract {
    private final ToyDisks disks;

    Toy(ToySubject subject) {
      this.disks = new ToyDisks(subject);
    }

    @Override
    protected BlockDevice create(long size) throws IOException {
      return disks.create(size, Optional.empty());
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      return disks.reopen(device, writable, Optional.empty());
    }

    @Override
    protected int unit() {
      return TableLayout.UNIT;
    }
  }

  @Nested
  class Refcounted extends Toy {
    Refcounted() {
      super(RefcountedTest.SUBJECT);
    }
  }

  @Nested
  class Split extends Toy {
    Split() {
      super(SplitTest.SUBJECT);
    }
  }

  @Nested
  class Encrypted extends Toy {
    Encrypted() {
      super(EncryptedTest.SUBJECT);
    }

    @Override
    protected boolean isEnciphered() {
      return true;
    }
  }
}

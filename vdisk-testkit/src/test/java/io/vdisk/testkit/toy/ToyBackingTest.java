package io.vdisk.testkit.toy;

import io.vdisk.BlockDevice;
import io.vdisk.testkit.BackingContract;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.Nested;

/** The toys keep the contract of devices over others, through the engine. */
class ToyBackingTest {
  /** One of them. */
  abstract static class Toy extends BackingContract {
    private final ToyDisks disks;

    Toy(ToySubject subject) {
      this.disks = new ToyDisks(subject);
    }

    @Override
    protected BlockDevice create(long size, BlockDevice backing) throws IOException {
      return disks.create(size, Optional.of(backing));
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, BlockDevice backing, boolean writable)
        throws IOException {
      return disks.reopen(device, writable, Optional.of(backing));
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
  }
}

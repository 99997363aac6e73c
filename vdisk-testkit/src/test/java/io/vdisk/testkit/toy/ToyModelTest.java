package io.vdisk.testkit.toy;

import io.vdisk.BlockDevice;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Group;

/** The toys equal an array of bytes, over a backing device that is shorter than they are. */
class ToyModelTest {
  /** One of them. */
  abstract static class Toy extends BlockDeviceModel {
    private final ToyDisks disks;
    private final byte[] below = new byte[size() - TableLayout.UNIT - 700];

    Toy(ToySubject subject) {
      this.disks = new ToyDisks(subject);
      new Random(1).nextBytes(below);
    }

    @Override
    protected BlockDevice create() throws IOException {
      return disks.create(size(), Optional.of(backing()));
    }

    @Override
    protected BlockDevice reopen(BlockDevice device) throws IOException {
      return disks.reopen(device, true, Optional.of(backing()));
    }

    /** Another toy that holds what lies below. */
    private BlockDevice backing() throws IOException {
      BlockDevice device =
          new ToyDisks(RefcountedTest.SUBJECT).create(below.length, Optional.empty());
      device.write(ByteBuffer.wrap(below), 0);
      return device;
    }

    @Override
    protected int unit() {
      return TableLayout.UNIT;
    }

    @Override
    protected byte[] initialContent() {
      return Arrays.copyOf(below, size());
    }
  }

  @Group
  class Refcounted extends Toy {
    Refcounted() {
      super(RefcountedTest.SUBJECT);
    }
  }

  @Group
  class Split extends Toy {
    Split() {
      super(SplitTest.SUBJECT);
    }
  }

  @Group
  class Encrypted extends Toy {
    Encrypted() {
      super(EncryptedTest.SUBJECT);
    }
  }
}

package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import java.io.IOException;
import org.junit.jupiter.api.Nested;

/**
 * What every {@link BlockDevice} with a backing device keeps: it shows what it does not hold
 * itself, copies up what it must, never changes or closes what lies below, and never shows again
 * what was once hidden.
 */
public abstract class BackingContract {
  /**
   * Makes an empty device over {@code backing}, open for writing.
   *
   * @param size bytes, a multiple of {@link #sizeStep}; may be more or less than the backing's
   * @param backing stays the test's, and is open for as long as the device is
   */
  protected abstract BlockDevice create(long size, BlockDevice backing) throws IOException;

  /** Closes {@code device}, if it is open, and opens the same image again over {@code backing}. */
  protected abstract BlockDevice reopen(BlockDevice device, BlockDevice backing, boolean writable)
      throws IOException;

  /** Bytes that the format allocates at a time; a multiple of {@link #sizeStep}, at least 1024. */
  protected int unit() {
    return 65_536;
  }

  /** What sizes must be multiples of, in bytes. */
  protected int sizeStep() {
    return 512;
  }

  @Nested
  class Reading extends BackingReadCases {
    Reading() {
      super(BackingContract.this);
    }
  }

  @Nested
  class Writing extends CopyOnWriteCases {
    Writing() {
      super(BackingContract.this);
    }
  }

  @Nested
  class ZeroingAndDiscarding extends RevealingCases {
    ZeroingAndDiscarding() {
      super(BackingContract.this);
    }
  }

  @Nested
  class Chains extends ChainCases {
    Chains() {
      super(BackingContract.this);
    }
  }
}

package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Nested;

/**
 * What every {@link BlockDevice} keeps, without a backing file. A subclass says how to make a
 * device and how to open it again, and inherits the tests.
 */
public abstract class BlockDeviceContract {
  /**
   * Makes an empty device, open for writing. Where it lies is the subclass's to remember until
   * {@link #reopen}; the tests close it.
   *
   * @param size bytes, 0 or a multiple of {@link #sizeStep}
   */
  protected abstract BlockDevice create(long size) throws IOException;

  /** Closes {@code device}, if it is open, and opens the same image again. */
  protected abstract BlockDevice reopen(BlockDevice device, boolean writable) throws IOException;

  /**
   * Bytes that the format allocates at a time: the tests look most closely around its multiples. A
   * multiple of {@link #sizeStep}; small, for they make disks of four and write them often.
   */
  protected int unit() {
    return 65_536;
  }

  /** What sizes must be multiples of, in bytes. */
  protected int sizeStep() {
    return 512;
  }

  /** Whether the format has disks of no bytes; otherwise making one is an illegal argument. */
  protected boolean canHaveNoBytes() {
    return true;
  }

  /** What a device that is open for writing can do. */
  protected Set<Capability> capabilities() {
    return EnumSet.of(Capability.WRITE, Capability.DISCARD, Capability.FAST_ZERO);
  }

  /** Whether host files hold the bytes enciphered. */
  protected boolean isEnciphered() {
    return false;
  }

  @Nested
  class Reading extends ReadingCases {
    Reading() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class Writing extends WritingCases {
    Writing() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class Zeroing extends ZeroingCases {
    Zeroing() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class Discarding extends DiscardingCases {
    Discarding() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class Extents extends ExtentCases {
    Extents() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class FlushingAndReopening extends FlushingCases {
    FlushingAndReopening() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class Arguments extends ArgumentCases {
    Arguments() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class Closing extends ClosingCases {
    Closing() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class ReadOnly extends ReadOnlyCases {
    ReadOnly() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class Channel extends ChannelCases {
    Channel() {
      super(BlockDeviceContract.this);
    }
  }

  @Nested
  class Threads extends ThreadCases {
    Threads() {
      super(BlockDeviceContract.this);
    }
  }
}

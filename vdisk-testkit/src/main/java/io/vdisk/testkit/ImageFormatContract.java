package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.OpenOptions;
import io.vdisk.spi.ImageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Nested;

/**
 * What every {@link ImageFormat} keeps whose images are one file: it knows its own images and no
 * others, makes whole images or none, changes nothing that was opened for reading, and meets
 * damaged images with an {@link IOException} or reads around the damage.
 */
public abstract class ImageFormatContract {
  /** The format. */
  protected abstract ImageFormat format();

  /**
   * Bytes at the beginning of a file without which it is no image; 0 if there are no such (raw, and
   * formats whose structures lie at the end).
   */
  protected abstract int headerSize();

  /** Whether the format has a magic number; raw does not, and can be anything. */
  protected boolean isRecognised() {
    return true;
  }

  /** Virtual size of the images that are made here, bytes; small, so that thousands are opened. */
  protected int size() {
    return 200_704;
  }

  /** Makes an image of {@code size} bytes; small units make small images. */
  protected CreateOptions creation(long size) {
    return CreateOptions.of(format().name(), size);
  }

  /** Adds to the options what the format needs to open an image: keys, policies. */
  protected OpenOptions opening(OpenOptions options) {
    return options;
  }

  /** Fills an empty image of {@link #size} bytes with what damage should meet. */
  protected void fill(BlockDevice device) throws IOException {
    device.write(ByteBuffer.wrap(Cases.bytes(20_000, 1)), 1000);
    device.write(ByteBuffer.wrap(Cases.bytes(3000, 2)), size() / 2);
    device.writeZeroes(size() / 2 + 1000, 1000);
    device.write(ByteBuffer.wrap(Cases.bytes(100, 3)), size() - 100);
    device.discard(2048, 8192);
  }

  /** How many damaged images are tried. */
  protected int mutations() {
    return 2000;
  }

  /**
   * Most bytes of heap that opening and reading one damaged image may take in all. Not what is held
   * at a time: what was given back counts too. Checks do not count: tables may be named thousands
   * of times, and a check reads them as often.
   */
  protected long mostHeap() {
    return 64L << 20;
  }

  @Nested
  class Probing extends ProbingCases {
    Probing() {
      super(ImageFormatContract.this);
    }
  }

  @Nested
  class Creating extends CreatingCases {
    Creating() {
      super(ImageFormatContract.this);
    }
  }

  @Nested
  class Opening extends OpeningCases {
    Opening() {
      super(ImageFormatContract.this);
    }
  }

  @Nested
  class Damage extends DamageCases {
    Damage() {
      super(ImageFormatContract.this);
    }
  }
}

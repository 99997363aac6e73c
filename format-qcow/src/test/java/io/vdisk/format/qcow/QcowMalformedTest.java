package io.vdisk.format.qcow;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.Checking;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.PlainFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Damaged images are refused or read; nothing but {@code IOException} comes of them. */
@Timeout(120)
class QcowMalformedTest {
  private static final int SIZE = 300 << 10;

  @Test
  void damageIsRefusedOrReadAround() throws IOException {
    long seed = new Random().nextLong();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    int opened = 0;
    int rounds = 3000;
    byte[][] golden = {golden("off"), golden("on")};
    for (int round = 0; round < rounds; round++) {
      byte[] image = golden[round % 2].clone();
      damage(image, random);
      int length = random.nextInt(10) == 0 ? random.nextInt(image.length) : image.length;
      MemoryFile file = new MemoryFile("image");
      file.write(ByteBuffer.wrap(image, 0, length), 0);
      try {
        opened += use(file, random) ? 1 : 0;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ", round " + round, e);
      }
    }
    assertTrue(opened > rounds / 10 && opened < rounds, opened + " of " + rounds + " opened");
  }

  @Test
  void truncationAtAnyByteIsRefusedOrReadAround() throws IOException {
    byte[] image = golden("on");
    for (int length = 0; length < image.length; length += length < 4200 ? 1 : 97) {
      MemoryFile file = new MemoryFile("image");
      file.write(ByteBuffer.wrap(image, 0, length), 0);
      use(file, new Random(length));
      if (length < 4096 + 8) {
        assertThrows(ImageException.class, () -> Images.open(file, options()));
      }
    }
  }

  /** Does what can be done; whether the image could be opened. */
  private static boolean use(MemoryFile file, Random random) throws IOException {
    BlockDevice device;
    try {
      device = Images.open(file, options());
    } catch (IOException e) {
      return false;
    }
    try (device) {
      Checking checking = device.feature(Checking.class).orElseThrow();
      attempt(() -> checking.check((done, total) -> done < 1 << 20));
      for (int i = 0; i < 8; i++) {
        long offset = i == 0 ? 0 : (long) (random.nextDouble() * device.size());
        int length = (int) Math.min(20_000, device.size() - offset);
        attempt(() -> device.read(ByteBuffer.allocate(length), offset));
        attempt(() -> device.extentAt(offset, Math.max(1, length)));
        attempt(() -> device.write(ByteBuffer.allocate(length), offset));
        attempt(() -> device.discard(offset, length));
      }
      attempt(device::flush);
    } catch (IOException e) {
      // What could not be written back.
    }
    return true;
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void attempt(Step step) {
    try {
      step.run();
    } catch (IOException | java.util.concurrent.CancellationException e) {
      // That is how damage is to be told.
    }
  }

  private static void damage(byte[] image, Random random) {
    ByteBuffer bytes = ByteBuffer.wrap(image);
    for (int i = 0; i <= random.nextInt(3); i++) {
      // Half of it hits the header, the other half tables mostly.
      int at = random.nextBoolean() ? random.nextInt(64) : random.nextInt(image.length / 8) * 8;
      switch (random.nextInt(5)) {
        case 0 -> image[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> image[at] = (byte) random.nextInt();
        case 2 -> bytes.putLong(at & -8, random.nextLong());
        case 3 -> bytes.putLong(at & -8, random.nextInt(image.length + 4096) & -512L);
        default -> bytes.putLong(at & -8, 0);
      }
    }
  }

  private static byte[] golden(String xen) throws IOException {
    MemoryFile file = new MemoryFile("golden");
    CreateOptions options =
        CreateOptions.of("qcow", SIZE)
            .withFormats(List.of(new QcowFormat(), new PlainFormat()))
            .withOption("cluster_size", "1024")
            .withOption("xen", xen);
    try (BlockDevice device = Images.create(file, options)) {
      byte[] bytes = new byte[20_000];
      new Random(1).nextBytes(bytes);
      device.write(ByteBuffer.wrap(bytes), 1000);
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      for (int offset = 50 << 10; offset < 60 << 10; offset += 1024) {
        ByteBuffer unit = ByteBuffer.allocate(1024).putLong(8, offset);
        unit.clear();
        units.append(offset, unit.duplicate(), units.encode(unit.duplicate()));
      }
    }
    if (xen.equals("on")) {
      file.write(ByteBuffer.allocate(4).putInt(0, 0x58454efb), 48);
    }
    byte[] image = new byte[(int) file.size()];
    file.readFully(ByteBuffer.wrap(image), 0);
    return image;
  }

  private static OpenOptions options() {
    return OpenOptions.readWrite()
        .withFormat("qcow")
        .withFormats(List.of(new QcowFormat(), new PlainFormat()))
        .withReferences(reference -> new MemoryFile("backing"));
  }
}

package io.vdisk.testkit.toy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Seeded use of a toy by one thread beside an array of bytes, with reopening and checking. */
final class RandomUse {
  private final ToySubject subject;
  private final Random random;
  private final Optional<BlockDevice> backing;
  private final List<HostFile> files = new ArrayList<>();
  private final byte[] expected;
  private final StringBuilder log = new StringBuilder();
  private BlockDevice device;

  RandomUse(ToySubject subject, long seed, boolean hasBacking) throws IOException {
    this.subject = subject;
    this.random = new Random(seed);
    this.log.append("seed ").append(seed).append(hasBacking ? " over a backing device" : "");
    this.expected = new byte[Math.toIntExact(subject.size())];
    this.backing = hasBacking ? Optional.of(backing()) : Optional.empty();
    for (int i = 0; i < subject.files(); i++) {
      files.add(new MemoryFile("file" + i));
    }
    subject.create(files, subject.size(), backing);
    this.device = subject.open(files, true, backing);
  }

  /** Shorter than the image, so that something reads as zero. */
  private BlockDevice backing() throws IOException {
    byte[] content = new byte[expected.length * 3 / 4];
    random.nextBytes(content);
    System.arraycopy(content, 0, expected, 0, content.length);
    BlockDevice made =
        Images.create(
            new MemoryFile("backing"),
            CreateOptions.of("refcounted", content.length)
                .withFormats(List.of(new RefcountedFormat())));
    made.write(ByteBuffer.wrap(content), 0);
    return made;
  }

  /** Runs {@code steps} operations, and returns what the last check of the closed image says. */
  CheckReport run(int steps) throws IOException {
    try {
      for (int i = 0; i < steps; i++) {
        step();
      }
      device.close();
      return check();
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError(tail(), e);
    }
  }

  private String tail() {
    String text = log.toString();
    return text.length() < 2000
        ? text
        : text.lines().findFirst().orElse("") + " ... " + text.substring(text.length() - 2000);
  }

  private CheckReport check() throws IOException {
    CheckReport report = subject.report(files);
    assertEquals(0, report.errors(), () -> report.findings().toString());
    assertEquals(
        0,
        report.findings().stream().filter(f -> f.severity() == Severity.LEAK).count(),
        () -> report.findings().toString());
    return report;
  }

  private void step() throws IOException {
    int size = expected.length;
    int length = 1 + random.nextInt(1 << (3 + random.nextInt(11)));
    int offset = random.nextInt(size);
    if (random.nextBoolean()) {
      offset &= -512;
      length = (length + 511) & -512;
    }
    length = Math.min(length, size - offset);
    int what = random.nextInt(100);
    log.append('\n').append(what).append(": ").append(offset).append('+').append(length);
    if (what < 40) {
      write(offset, length);
    } else if (what < 60) {
      assertReads(offset, length);
    } else if (what < 70) {
      device.writeZeroes(offset, length);
      Arrays.fill(expected, offset, offset + length, (byte) 0);
      assertReads(offset, length);
    } else if (what < 80) {
      discard(offset, length);
    } else if (what < 83) {
      discard(0, size / 2 + length / 2);
    } else if (what < 88) {
      extents(offset);
    } else if (what < 93) {
      append(offset);
    } else if (what < 98) {
      device.flush();
    } else {
      reopen();
    }
  }

  private void write(int offset, int length) throws IOException {
    byte[] data = new byte[length];
    if (random.nextInt(10) > 0) {
      random.nextBytes(data);
    }
    device.write(ByteBuffer.wrap(data), offset);
    System.arraycopy(data, 0, expected, offset, length);
  }

  private void append(int near) throws IOException {
    Optional<UnitWriter> units = device.feature(UnitWriter.class);
    if (units.isEmpty()) {
      return;
    }
    int unit = units.get().unit();
    int offset = near - near % unit;
    byte[] data = new byte[unit];
    Arrays.fill(data, 0, Math.min(unit, expected.length - offset), (byte) random.nextInt());
    ByteBuffer encoded = units.get().encode(ByteBuffer.wrap(data));
    units.get().append(offset, ByteBuffer.wrap(data), encoded);
    System.arraycopy(data, 0, expected, offset, Math.min(unit, expected.length - offset));
  }

  /** A discarded byte reads as before or as zero; which one stays so. */
  private void discard(int offset, int length) throws IOException {
    device.discard(offset, length);
    byte[] now = read(offset, length);
    for (int i = 0; i < length; i++) {
      if (now[i] != 0) {
        assertEquals(expected[offset + i], now[i], "discarded byte " + (offset + i));
      }
    }
    System.arraycopy(now, 0, expected, offset, length);
  }

  private void extents(int offset) throws IOException {
    Extent extent = device.extentAt(offset, expected.length - offset);
    assertEquals(offset, extent.offset());
    assertTrue(extent.length() > 0 && extent.length() <= expected.length - offset);
    if (extent.readsAsZero()) {
      for (int i = 0; i < extent.length(); i++) {
        assertEquals(0, expected[offset + i], "in " + extent);
      }
    }
  }

  private void reopen() throws IOException {
    device.close();
    CheckReport unused = check();
    device = subject.open(files, true, backing);
    assertReads(0, expected.length);
  }

  private void assertReads(int offset, int length) throws IOException {
    assertArrayEquals(Arrays.copyOfRange(expected, offset, offset + length), read(offset, length));
  }

  private byte[] read(int offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    device.read(ByteBuffer.wrap(bytes), offset);
    return bytes;
  }
}

package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.CreateSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Images with damaged fields whose checksums are right again: what a hostile author would make.
 * They are refused or read around; nothing but {@code IOException} comes of them, and where opening
 * fails nothing was written. {@code vdisk.mutants} says how many.
 */
@Timeout(600)
class VhdxMutantsTest {
  private static final int MUTANTS = Integer.getInteger("vdisk.mutants", 500);
  private static final long SEED = Long.getLong("vdisk.seed", 20261130);
  private static final int MIB = 1 << 20;
  private static final int SIZE = 3 * MIB + 512;
  private static final long[] VALUES = {
    0,
    1,
    2,
    3,
    6,
    7,
    511,
    512,
    4096,
    4097,
    MIB - 1,
    MIB,
    MIB + 1,
    2 * MIB,
    4 * MIB,
    64 * MIB,
    256L * MIB,
    512L * MIB,
    0x7fff_ffff,
    0x8000_0000L,
    0xffff_ffffL,
    1L << 40,
    64L << 40,
    (64L << 40) + 512,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -512,
    -4096,
    -MIB
  };

  @Test
  void mutantsAreRefusedOrReadAround() throws IOException {
    byte[][] golden = {dynamic(false), dynamic(true), child()};
    int opened = 0;
    int changed = 0;
    for (int i = 0; i < MUTANTS; i++) {
      Random random = new Random(SEED + i);
      byte[] image = golden[i % golden.length].clone();
      int mutations = 1 + random.nextInt(3);
      for (int m = 0; m < mutations; m++) {
        mutate(image, random);
      }
      seal(image);
      int number = i;
      boolean[] done =
          assertTimeoutPreemptively(
              Duration.ofSeconds(60), () -> use(image, new Random(number)), "mutant " + number);
      opened += done[0] ? 1 : 0;
      changed += done[1] ? 1 : 0;
    }
    System.out.printf(
        "%d mutants, %d opened, %d took a change, seed %d%n", MUTANTS, opened, changed, SEED);
    assertTrue(opened > MUTANTS / 10 && opened < MUTANTS, opened + " opened");
    assertTrue(changed > MUTANTS / 20, changed + " took a change");
  }

  private static byte[] dynamic(boolean withLog) throws IOException {
    MemoryFile file = new MemoryFile("image");
    BlockDevice device =
        Images.create(
            file,
            CreateOptions.of("vhdx", SIZE)
                .withFormats(VhdxSubject.FORMATS)
                .withOption("block_size", "1048576"));
    device.write(ByteBuffer.wrap(new byte[20_000]), 1000);
    device.write(ByteBuffer.wrap(new byte[] {5}), 2 * MIB);
    device.flush();
    device.write(ByteBuffer.wrap(new byte[] {6}), MIB);
    device.flush();
    byte[] image = bytes(file);
    device.close();
    return withLog ? image : bytes(file);
  }

  private static byte[] child() throws IOException {
    MemoryFile file = new MemoryFile("image");
    CreateSession.create(
        file,
        CreateOptions.of("vhdx", SIZE)
            .withFormats(VhdxSubject.FORMATS)
            .withOption("block_size", "1048576")
            .withBacking("parent.vhdx", "vhdx")
            .withoutOpeningBacking());
    try (BlockDevice device = open(file, true)) {
      device.write(ByteBuffer.wrap(new byte[] {5, 6, 7}), 1000);
      device.write(ByteBuffer.wrap(new byte[MIB]), MIB);
      device.write(ByteBuffer.wrap(new byte[] {5}), 2 * MIB + 9000);
    }
    return bytes(file);
  }

  private static BlockDevice open(MemoryFile file, boolean writable) throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return Images.open(
        file, options.withFormats(VhdxSubject.FORMATS).withBacking(Images.ram(SIZE)));
  }

  private static byte[] bytes(MemoryFile file) throws IOException {
    byte[] all = new byte[Math.toIntExact(file.size())];
    file.readFully(ByteBuffer.wrap(all), 0);
    return all;
  }

  /** A field of some structure gets a value, or bits of it change. */
  private static void mutate(byte[] image, Random random) {
    int at =
        switch (random.nextInt(8)) {
          case 0 -> (random.nextBoolean() ? 64 << 10 : 128 << 10) + random.nextInt(80);
          case 1 -> (random.nextBoolean() ? 192 << 10 : 256 << 10) + random.nextInt(80);
          case 2 -> MIB + random.nextInt(3) * 8192 + random.nextInt(160);
          case 3 -> 2 * MIB + random.nextInt(32 + 7 * 32);
          case 4 -> 2 * MIB + (64 << 10) + random.nextInt(250);
          case 5 -> 3 * MIB + 8 * random.nextInt(5);
          case 6 -> 3 * MIB + random.nextInt(40_000);
          default -> random.nextInt(image.length);
        };
    ByteBuffer little = ByteBuffer.wrap(image).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    long value = VALUES[random.nextInt(VALUES.length)];
    at = Math.min(at, image.length - 8);
    switch (random.nextInt(6)) {
      case 0 -> image[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> little.putShort(at & -2, (short) value);
      case 2, 3 -> little.putInt(at & -4, (int) value);
      case 4 -> little.putLong(at & -8, value);
      default ->
          little.putLong(at & -8, (value & -MIB) | random.nextInt(8)); // an entry of the table
    }
  }

  /** Makes all checksums right. */
  private static void seal(byte[] image) {
    ByteBuffer all = ByteBuffer.wrap(image);
    for (int place : new int[] {64 << 10, 128 << 10}) {
      ByteBuffer header = all.slice(place, 4096);
      VhdxHeader.CHECKSUM.put(header, 0, Crc.of(header, VhdxHeader.CHECKSUM));
    }
    for (int place : new int[] {192 << 10, 256 << 10}) {
      ByteBuffer table = all.slice(place, RegionTable.BYTES);
      RegionTable.CHECKSUM.put(table, 0, Crc.of(table, RegionTable.CHECKSUM));
    }
    for (int at = MIB; at < 2 * MIB; at += 4096) {
      ByteBuffer log = all.slice(at, 2 * MIB - at);
      long length = LogEntry.ENTRY_LENGTH.get(log, 0);
      if (LogEntry.SIGNATURE.get(log, 0) == LogEntry.ENTRY_SIGNATURE
          && length >= 4096
          && length <= log.limit()) {
        log.limit((int) length);
        LogEntry.CHECKSUM.put(log, 0, Crc.of(log, LogEntry.CHECKSUM));
      }
    }
  }

  /** Whether it could be opened, and changed. */
  private static boolean[] use(byte[] image, Random random) throws IOException {
    boolean opened = false;
    boolean changed = false;
    MemoryFile file = new MemoryFile("image", image.clone());
    try (BlockDevice device = open(file, false)) {
      opened = true;
      attempt(() -> device.feature(Checking.class).orElseThrow().check((d, t) -> d < 1 << 20));
      for (int i = 0; i < 4; i++) {
        long offset = (long) (random.nextDouble() * device.size());
        int length = (int) Math.min(50_000, device.size() - offset);
        attempt(() -> device.read(ByteBuffer.allocate(length), offset));
        attempt(() -> device.extents(offset, length).forEach(extent -> {}));
      }
    } catch (IOException e) {
      assertTrue(String.valueOf(e.getMessage()).contains("image"), e.toString());
    }
    assertArrayEquals(image, bytes(file), "a look changes nothing");
    try (BlockDevice device = open(file, true)) {
      long offset = (long) (random.nextDouble() * device.size());
      int length = (int) Math.min(3000, device.size() - offset);
      changed = attempt(() -> device.write(ByteBuffer.allocate(length), offset));
      attempt(() -> device.writeZeroes(offset / 2, length));
      attempt(() -> device.discard(0, Math.min(device.size(), 2 * MIB)));
      attempt(device::flush);
      attempt(
          () ->
              device
                  .feature(Repairing.class)
                  .orElseThrow()
                  .repair(Repairing.Scope.ALL, (d, t) -> d < 1 << 20));
      attempt(() -> device.feature(Resizing.class).orElseThrow().resize(device.size() + MIB));
    } catch (IOException e) {
      if (!opened) {
        assertTrue(Arrays.equals(image, bytes(file)), () -> "written before " + e);
      }
    }
    return new boolean[] {opened, changed};
  }

  private interface Step {
    void run() throws IOException;
  }

  private static boolean attempt(Step step) {
    try {
      step.run();
      return true;
    } catch (IOException | UncheckedIOException | CancellationException e) {
      return false; // that is how damage is to be told
    }
  }
}

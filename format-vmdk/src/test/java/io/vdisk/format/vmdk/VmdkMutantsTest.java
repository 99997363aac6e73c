package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Repairing;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Disks of extents of every kind with damage in their metadata: opened, read, checked, repaired and
 * written; nothing but an {@link IOException} comes of it, in time, and what was only read stays.
 */
@Timeout(300)
class VmdkMutantsTest {
  private static final long SEED = Long.getLong("vdisk.seed", 20261128);
  private static final int MUTANTS = Integer.getInteger("vdisk.mutants", 1500);

  /** Metadata of all extents lies before that. */
  private static final int FRONT = 20_000;

  private static List<byte[]> golden(boolean hasBacking) throws IOException {
    List<HostFile> files = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      files.add(new KeptFile(new MemoryFile("file" + i)));
    }
    CustomSubject subject = new CustomSubject();
    Optional<BlockDevice> backing =
        hasBacking ? Optional.of(Images.ram(subject.size())) : Optional.empty();
    subject.create(files, subject.size(), backing);
    try (BlockDevice device = subject.open(files, true, backing)) {
      Disks.change(device, new byte[(int) subject.size()], 60, new Random(SEED));
    }
    List<byte[]> bytes = new ArrayList<>();
    for (HostFile file : files) {
      bytes.add(bytes(file));
    }
    return bytes;
  }

  private static byte[] bytes(HostFile file) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.readFully(all, 0);
    return all.array();
  }

  @Test
  void damageIsRefusedOrReadAroundAndNothingElse() throws IOException {
    int opened = 0;
    Random random = new Random(SEED);
    for (boolean hasBacking : new boolean[] {false, true}) {
      List<byte[]> golden = golden(hasBacking);
      for (int i = 0; i < MUTANTS / 2; i++) {
        List<byte[]> mutant = mutate(golden, random);
        try {
          opened += look(mutant, hasBacking) ? 1 : 0;
          change(mutant, hasBacking, random);
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError("seed " + SEED + ", mutant " + i + " of " + hasBacking, e);
        }
      }
    }
    System.out.printf("VmdkMutantsTest: seed %d, %d of %d opened%n", SEED, opened, MUTANTS);
    assertTrue(opened > MUTANTS / 3);
  }

  private static List<byte[]> mutate(List<byte[]> golden, Random random) {
    List<byte[]> mutant = new ArrayList<>(golden);
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      int number = random.nextInt(golden.size());
      byte[] bytes = mutant.get(number).clone();
      int at = place(bytes, random);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> {
          for (int i = at; i < Math.min(bytes.length, at + 4); i++) {
            bytes[i] = (byte) (i == at + 3 ? 0x7f : 0xff);
          }
        }
        default -> {
          int from = place(bytes, random);
          int length = Math.min(8, bytes.length - Math.max(at, from));
          System.arraycopy(bytes, from, bytes, at, length);
        }
      }
      mutant.set(number, random.nextInt(30) == 0 ? java.util.Arrays.copyOf(bytes, at) : bytes);
    }
    return mutant;
  }

  /** Among the first bytes, where headers are, or where something is that is not zero. */
  private static int place(byte[] bytes, Random random) {
    int front = Math.min(FRONT, bytes.length);
    if (random.nextInt(3) == 0) {
      return random.nextInt(Math.min(100, front));
    }
    for (int tries = 0; tries < 2000; tries++) {
      int at = random.nextInt(front);
      if (bytes[at] != 0) {
        return at;
      }
    }
    return random.nextInt(front);
  }

  private static List<HostFile> files(List<byte[]> mutant) throws IOException {
    List<HostFile> files = new ArrayList<>();
    for (int i = 0; i < mutant.size(); i++) {
      files.add(new KeptFile(new MemoryFile("file" + i, mutant.get(i))));
    }
    return files;
  }

  private static BlockDevice open(List<HostFile> files, boolean hasBacking, OpenOptions options)
      throws IOException {
    OpenOptions all =
        options.withFormats(VmdkSubject.FORMATS).withReferences(VmdkSubject.policy(files));
    return Images.open(
        files.get(0), hasBacking ? all.withBacking(Images.ram(new CustomSubject().size())) : all);
  }

  private static boolean look(List<byte[]> mutant, boolean hasBacking) throws IOException {
    List<HostFile> files = files(mutant);
    boolean opened = false;
    try (BlockDevice device = open(files, hasBacking, OpenOptions.readOnly())) {
      opened = true;
      attempt(() -> device.read(buffer(device.size()), 0));
      long middle = device.size() / 2;
      attempt(() -> device.read(buffer(device.size() - middle), middle));
      attempt(
          () -> {
            int left = 5000;
            for (io.vdisk.Extent extent : device.extents(0, device.size())) {
              assertTrue(extent.length() > 0);
              if (--left == 0) {
                break;
              }
            }
          });
      int[] steps = new int[1];
      attempt(
          () ->
              device
                  .feature(Checking.class)
                  .orElseThrow()
                  .check((done, total) -> ++steps[0] < 1000));
    } catch (IOException e) {
      assertTrue(String.valueOf(e.getMessage()).contains("file"), e.toString());
    }
    for (int i = 0; i < mutant.size(); i++) {
      assertArrayEquals(mutant.get(i), bytes(files.get(i)));
    }
    return opened;
  }

  private static ByteBuffer buffer(long size) {
    return ByteBuffer.allocate((int) Math.min(size, 1 << 20));
  }

  private static void change(List<byte[]> mutant, boolean hasBacking, Random random) {
    try {
      List<HostFile> files = files(mutant);
      try (BlockDevice device = open(files, hasBacking, OpenOptions.readWrite().forRepair())) {
        int[] steps = new int[1];
        attempt(
            () ->
                device
                    .feature(Repairing.class)
                    .orElseThrow()
                    .repair(Repairing.Scope.ALL, (done, total) -> ++steps[0] < 1000));
      }
      try (BlockDevice device = open(files, hasBacking, OpenOptions.readWrite())) {
        for (int i = 0; i < 6 && device.size() > 100_000; i++) {
          long offset = (long) (random.nextDouble() * (device.size() - 50_000));
          attempt(() -> device.write(ByteBuffer.allocate(20_000), offset));
          attempt(() -> device.writeZeroes(offset, 50_000));
          attempt(() -> device.discard(offset, 50_000));
        }
        attempt(device::flush);
      }
    } catch (IOException e) {
      // Refused, or it could not be written back.
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void attempt(Step step) {
    try {
      step.run();
    } catch (IOException | java.io.UncheckedIOException | CancellationException e) {
      // That is how damage is told.
    }
  }
}

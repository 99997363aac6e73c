package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * Damaged images: they are refused or read around, in bounded time and memory, and nothing but an
 * {@link IOException} comes of them. The damage is to metadata: to all of the file but the guest's
 * data.
 */
abstract class DamageCases extends FormatCases {
  private static final long SEED = 20_260_401;

  /** Generous: this guards against endless loops only. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** Below this every length is tried, above it some thousands that spread over the file. */
  private static final int CLOSELY = 2048;

  /** Guest bytes that are read at the beginning, in the middle, and at the end. */
  private static final int LOOK = 1 << 18;

  private static final int MAX_EXTENTS = 10_000;

  /** A check of an image that says it is huge is called off after so many steps. */
  private static final long MAX_CHECK = 1 << 20;

  private static final ThreadMXBean MEMORY = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final ByteBuffer buffer = ByteBuffer.allocate(LOOK);

  /** What is being tried, for the message when it takes too long. */
  private volatile String trial = "nothing yet";

  DamageCases(ImageFormatContract contract) {
    super(contract);
  }

  @Test
  void anImageThatIsCutAnywhereIsRefusedOrReadAround() throws IOException {
    byte[] image = filledImage();
    int step = Math.max(1, (image.length - CLOSELY) / 1500);
    inTime(
        () -> {
          for (int size = 0; size < image.length; size += size < CLOSELY ? 1 : step) {
            look(image, Mutation.cut(size));
          }
        });
  }

  @Test
  void damagedMetadataIsRefusedOrReadAround() throws IOException {
    byte[] image = filledImage();
    int[] metadata = metadata(image);
    Random random = new Random(SEED);
    inTime(
        () -> {
          int opened = 0;
          for (int i = 0; i < contract.mutations(); i++) {
            opened += look(image, damage(image, metadata, random)) ? 1 : 0;
          }
          assertTrue(opened > 0, "not one damaged image opened: the damage is too coarse");
        });
  }

  /** Every field of the header, whatever its place and size, once with each hostile value. */
  @Test
  void hugeFieldsOfTheHeaderAreCheckedBeforeAnythingIsAllocated() throws IOException {
    byte[] image = filledImage();
    inTime(
        () -> {
          for (int offset = 0; offset < contract.headerSize(); offset += 2) {
            for (int width = 2; width <= 8; width *= 2) {
              byte[] huge = new byte[Math.min(width, image.length - offset)];
              Arrays.fill(huge, (byte) 0xff);
              look(image, new Mutation(offset, huge.clone(), image.length));
              huge[0] = 0x7f;
              look(image, new Mutation(offset, huge.clone(), image.length));
              huge[0] = 0x10;
              look(image, new Mutation(offset, huge, image.length));
            }
          }
        });
  }

  @Test
  void aFailedOpeningForWritingWritesNothing() throws IOException {
    byte[] image = filledImage();
    int[] metadata = metadata(image);
    Random random = new Random(SEED + 1);
    inTime(
        () -> {
          for (int i = 0; i < contract.mutations() / 4; i++) {
            openForWriting(image, damage(image, metadata, random));
          }
          for (int size = 0; size < image.length; size += size < CLOSELY ? 7 : image.length / 50) {
            openForWriting(image, Mutation.cut(size));
          }
        });
  }

  @Test
  void aDamagedImageTakesWritesOrRefusesThem() throws IOException {
    byte[] image = filledImage();
    int[] metadata = metadata(image);
    Random random = new Random(SEED + 2);
    inTime(
        () -> {
          for (int i = 0; i < contract.mutations() / 4; i++) {
            change(image, damage(image, metadata, random), random);
          }
        });
  }

  /** Opens, reads and checks a damaged image; whether it opened. */
  private boolean look(byte[] image, Mutation mutation) {
    trial = mutation.toString();
    long before = MEMORY.getCurrentThreadAllocatedBytes();
    long taken = 0;
    boolean opened = false;
    try (BlockDevice device =
        Images.open(new DamagedFile(NAME, image, mutation), byName(OpenOptions.readOnly()))) {
      opened = true;
      readAround(device);
      taken = MEMORY.getCurrentThreadAllocatedBytes() - before;
      check(device);
    } catch (IOException e) {
      taken = MEMORY.getCurrentThreadAllocatedBytes() - before;
      assertNamed(e, mutation);
    } catch (RuntimeException | Error e) {
      throw new AssertionError("damage: " + mutation, e);
    }
    if (taken > contract.mostHeap()) {
      throw new AssertionError(taken + " bytes of heap, damage: " + mutation);
    }
    return opened;
  }

  private void readAround(BlockDevice device) {
    long size = device.size();
    for (long offset : new long[] {0, size / 2, Math.max(0, size - LOOK)}) {
      int length = (int) Math.min(LOOK, size - offset);
      attempt(() -> device.read(buffer.clear().limit(length), offset));
    }
    attempt(
        () -> {
          Iterator<Extent> extents = device.extents(0, size).iterator();
          for (int i = 0; i < MAX_EXTENTS && extents.hasNext(); i++) {
            extents.next();
          }
        });
  }

  private static void check(BlockDevice device) {
    Optional<Checking> checking = device.feature(Checking.class);
    if (checking.isPresent()) {
      attempt(() -> checking.get().check((done, total) -> done < MAX_CHECK));
    }
  }

  private void openForWriting(byte[] image, Mutation mutation) throws IOException {
    trial = "opened for writing, " + mutation;
    ChangeCounter file = new ChangeCounter(damaged(image, mutation), Long.MAX_VALUE);
    try {
      Images.open(file, byName(OpenOptions.readWrite())).close();
    } catch (IOException e) {
      assertEquals(0, file.changes(), () -> "changes before " + e + ", damage: " + mutation);
    } catch (RuntimeException | Error e) {
      throw new AssertionError("damage: " + mutation, e);
    }
  }

  private void change(byte[] image, Mutation mutation, Random random) throws IOException {
    trial = "changed, " + mutation;
    try (BlockDevice device =
        Images.open(damaged(image, mutation), byName(OpenOptions.readWrite()))) {
      int length = (int) Math.min(20_000, device.size());
      for (int i = 0; i < 4; i++) {
        long offset = (long) (random.nextDouble() * (device.size() - length));
        attempt(() -> device.write(buffer.clear().limit(length), offset));
        attempt(() -> device.writeZeroes(offset / 2, length));
        attempt(() -> device.discard(offset / 3, length));
      }
      attempt(device::flush);
    } catch (IOException e) {
      // Refused, or it could not be written back.
    } catch (RuntimeException | Error e) {
      throw new AssertionError("damage: " + mutation, e);
    }
  }

  private static HostFile damaged(byte[] image, Mutation mutation) throws IOException {
    return new MemoryFile(NAME, mutation.applyTo(image));
  }

  /** Half of the damage hits the first bytes, where headers are; the rest all metadata. */
  private static Mutation damage(byte[] image, int[] metadata, Random random) {
    int near = random.nextBoolean() ? Math.min(metadata.length, 128) : metadata.length;
    return Mutation.at(metadata[random.nextInt(near)], image, random);
  }

  /** Offsets of the bytes that are not guest data; those that are not zero come up more often. */
  private int[] metadata(byte[] image) throws IOException {
    BitSet guest = new BitSet();
    try (BlockDevice device = open(image)) {
      for (Extent extent : device.extents(0, device.size())) {
        if (extent.fileOffset() >= 0 && !extent.isEncoded()) {
          int from = Math.toIntExact(extent.fileOffset());
          guest.set(from, from + Math.toIntExact(extent.length()));
        }
      }
    }
    IntStream.Builder offsets = IntStream.builder();
    for (int i = 0; i < image.length; i++) {
      if (!guest.get(i)) {
        for (int times = image[i] == 0 ? 1 : 8; times > 0; times--) {
          offsets.add(i);
        }
      }
    }
    int[] found = offsets.build().toArray();
    return found.length == 0 ? new int[] {0} : found;
  }

  private static void assertNamed(IOException e, Mutation mutation) {
    assertTrue(
        String.valueOf(e.getMessage()).contains(NAME),
        () -> "the file is not named by " + e + ", damage: " + mutation);
  }

  /** Something that damage may make fail. */
  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private static void attempt(Step step) {
    try {
      step.run();
    } catch (IOException | UncheckedIOException | CancellationException e) {
      // That is how damage is told.
    }
  }

  private void inTime(Executable body) {
    assertTimeoutPreemptively(LIMIT, body, () -> "too slow, seed " + SEED + ": " + trial);
  }
}

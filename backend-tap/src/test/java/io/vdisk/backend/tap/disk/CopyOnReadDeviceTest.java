package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a read brings from below is copied into the image. */
@Timeout(60)
final class CopyOnReadDeviceTest {
  private static final int MIB = 1 << 20;
  private static final int CLUSTER = 65_536;

  /** What a test does at some moment. */
  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  @TempDir Path folder;

  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private Watched parent;
  private Watched leaf;
  private long usable = Long.MAX_VALUE;
  private int questions;
  private final HostRoom room =
      new HostRoom(
          () -> {
            questions++;
            return usable;
          },
          () -> 0);
  private CopyOnReadDevice device;

  /** A device that counts, and does before a write and after a read what a test wants. */
  private static final class Watched extends ForwardingDevice {
    int reads;
    int writes;
    Step afterRead = () -> {};
    Step beforeWrite = () -> {};

    Watched(BlockDevice device) {
      super(device);
    }

    @Override
    public void read(ByteBuffer dst, long offset) throws IOException {
      reads++;
      super.read(dst, offset);
      afterRead.run();
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      writes++;
      beforeWrite.run();
      super.write(src, offset);
    }

    @Override
    public void close() throws IOException {
      device().close();
    }
  }

  /** Below: 4 MiB of 1, then nothing. */
  @BeforeEach
  void open() throws Exception {
    Path below = folder.resolve("below.qcow2");
    Images.create(below, CreateOptions.of("qcow2", 8 * MIB)).close();
    try (BlockDevice written = Images.open(below, OpenOptions.readWrite())) {
      Bytes.write(written, 0, 1, 4 * MIB);
    }
    Path image = folder.resolve("image.qcow2");
    Images.create(
            image,
            CreateOptions.overlay("qcow2", below.toString(), "qcow2")
                .withReferences(ReferencePolicy.any()))
        .close();
    parent = new Watched(Images.open(below, OpenOptions.readOnly()));
    leaf = new Watched(Images.open(image, OpenOptions.readWrite().withBacking(parent)));
    device = new CopyOnReadDevice(leaf, room, "qcow2:image");
  }

  @AfterEach
  void close() throws Exception {
    leaf.close();
    parent.close();
  }

  private Thread start(Step step) {
    Thread thread =
        new Thread(
            () -> {
              try {
                step.run();
              } catch (IOException | RuntimeException | Error e) {
                failure.set(e);
              }
            });
    thread.start();
    return thread;
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void assertReads(int value, long offset, int length) throws IOException {
    assertArrayEquals(Bytes.of(value, length), Bytes.read(device, offset, length));
  }

  @Test
  void theSecondReadDoesNotGoBelow() throws Exception {
    assertReads(1, MIB - 512, 2 * CLUSTER);
    int reads = parent.reads;
    assertReads(1, MIB - 512, 2 * CLUSTER);
    assertEquals(reads, parent.reads);
    assertEquals(0, leaf.extentAt(MIB - 512, 2 * CLUSTER).depth());
  }

  @Test
  void nothingIsCopiedOfWhatReadsAsZeroOrIsThere() throws Exception {
    Bytes.write(device, 0, 2, CLUSTER);
    device.discard(CLUSTER, CLUSTER);
    device.writeZeroes(2 * CLUSTER, CLUSTER);
    leaf.writes = 0;
    assertReads(2, 0, CLUSTER);
    assertReads(0, 2 * CLUSTER, CLUSTER);
    assertReads(0, 4 * MIB, MIB);
    assertEquals(0, leaf.writes);
    assertEquals(Extent.Kind.HOLE, leaf.extentAt(4 * MIB, MIB).kind());
  }

  @Test
  void onlyThatPartIsCopiedThatComesFromBelow() throws Exception {
    Bytes.write(device, CLUSTER, 2, CLUSTER);
    leaf.writes = 0;
    byte[] found = Bytes.read(device, 0, 3 * CLUSTER);
    assertEquals(1, found[0]);
    assertEquals(2, found[CLUSTER]);
    assertEquals(1, found[2 * CLUSTER]);
    assertEquals(2, leaf.writes);
    assertReads(2, CLUSTER, CLUSTER);
  }

  @Test
  void aWriteThatComesBetweenAReadAndItsCopyStays() throws Exception {
    CountDownLatch hasRead = new CountDownLatch(1);
    CountDownLatch isWritten = new CountDownLatch(1);
    parent.afterRead =
        () -> {
          hasRead.countDown();
          try {
            isWritten.await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        };
    Thread reader = start(() -> Bytes.read(device, 0, CLUSTER));
    hasRead.await();
    Bytes.write(device, 0, 2, CLUSTER);
    isWritten.countDown();
    join(reader);
    assertNull(failure.get());
    assertReads(2, 0, CLUSTER);
    assertEquals(1, leaf.writes);
  }

  @Test
  void aWriteThatComesDuringACopyWaitsForIt() throws Exception {
    AtomicReference<Thread> writer = new AtomicReference<>();
    leaf.beforeWrite =
        () -> {
          leaf.beforeWrite = () -> {};
          writer.set(start(() -> Bytes.write(device, 0, 2, CLUSTER)));
          awaitWaiting(writer.get());
        };
    assertReads(1, 0, CLUSTER);
    join(writer.get());
    assertNull(failure.get());
    assertReads(2, 0, CLUSTER);
  }

  private static void awaitWaiting(Thread thread) {
    while (thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TERMINATED) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aCopyWaitsForAWriteThatIsUnderWay() throws Exception {
    AtomicReference<Thread> reader = new AtomicReference<>();
    leaf.beforeWrite =
        () -> {
          leaf.beforeWrite = () -> {};
          reader.set(start(() -> Bytes.read(device, 0, 2 * CLUSTER)));
          awaitWaiting(reader.get());
        };
    Bytes.write(device, 0, 2, CLUSTER);
    join(reader.get());
    assertNull(failure.get());
    assertReads(2, 0, CLUSTER);
    assertReads(1, CLUSTER, CLUSTER);
    assertEquals(0, leaf.extentAt(CLUSTER, CLUSTER).depth());
  }

  @Test
  void whatIsReadDuringACopyIsCopiedToo() throws Exception {
    AtomicReference<Thread> reader = new AtomicReference<>();
    leaf.beforeWrite =
        () -> {
          leaf.beforeWrite = () -> {};
          reader.set(start(() -> assertReads(1, CLUSTER, CLUSTER)));
          awaitWaiting(reader.get());
        };
    assertReads(1, 0, CLUSTER);
    join(reader.get());
    assertNull(failure.get());
    assertEquals(0, leaf.extentAt(CLUSTER, CLUSTER).depth());
  }

  @Test
  void whatAGuestDoesToItsPagesDuringACopyIsNotCopied() throws Exception {
    ByteBuffer pages = ByteBuffer.allocate(CLUSTER);
    leaf.beforeWrite = () -> pages.put(0, (byte) 9);
    device.read(pages, 0);
    assertEquals(9, pages.get(0));
    assertReads(1, 0, CLUSTER);
  }

  @Test
  void aCopyThatFailsIsTheLastAndFailsNoRead() throws Exception {
    leaf.beforeWrite =
        () -> {
          throw new IOException("No space left on device");
        };
    assertReads(1, 0, CLUSTER);
    assertTrue(device.hasFailed());
    assertReads(1, 0, CLUSTER);
    assertEquals(1, leaf.writes);
    leaf.beforeWrite = () -> {};
    assertReads(1, 0, CLUSTER);
    assertEquals(1, leaf.writes);
    Bytes.write(device, 0, 2, CLUSTER);
    assertReads(2, 0, CLUSTER);
  }

  @Test
  void theLastSpaceOfTheHostIsTheGuests() throws Exception {
    usable = HostRoom.RESERVE + 2 * CLUSTER - 1;
    assertReads(1, 0, CLUSTER);
    assertEquals(0, leaf.writes);
    assertFalse(device.hasFailed());
    usable++;
    assertReads(1, 0, CLUSTER);
    assertEquals(1, leaf.writes);
  }

  @Test
  void manyCopiesTakeOneQuestionAboutTheHostsSpace() throws Exception {
    for (int i = 0; i < 32; i++) {
      assertReads(1, 2 * i * CLUSTER, CLUSTER);
    }
    assertEquals(32, leaf.writes);
    assertEquals(1, questions);
  }

  @Test
  void aReadThatFailsCopiesNothing() throws Exception {
    parent.afterRead =
        () -> {
          throw new IOException("the parent is gone");
        };
    assertThrows(IOException.class, () -> Bytes.read(device, 0, CLUSTER));
    assertEquals(0, leaf.writes);
    assertFalse(device.hasFailed());
    assertThrows(IndexOutOfBoundsException.class, () -> Bytes.read(device, 8 * MIB, 512));
    assertThrows(IndexOutOfBoundsException.class, () -> Bytes.read(device, -512, 512));
  }
}

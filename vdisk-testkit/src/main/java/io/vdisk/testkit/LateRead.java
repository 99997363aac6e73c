package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * A guest's read that knows where its bytes are and has not fetched them yet, while others discard
 * them, flush, and write all that the disk can hold besides. No chance is in it.
 */
final class LateRead {
  private static final int OLD = 1;
  private static final int NEW = 2;
  private static final int SECTOR = SectorModel.SECTOR;

  private final Subject subject;
  private final List<HostFile> files = new ArrayList<>();

  /** The thread whose host reads are counted. */
  private volatile @Nullable Thread reader;

  // Of that thread:
  private int hostReads;

  /** Before which of them it stops: the last of a guest's read, which fetches the bytes. */
  private int last;

  private final CompletableFuture<Boolean> stopped = new CompletableFuture<>();
  private final CountDownLatch goOn = new CountDownLatch(1);

  LateRead(Subject subject) {
    this.subject = subject;
    for (int i = 0; i < subject.files(); i++) {
      files.add(new Watched(new MemoryFile("image" + i)));
    }
  }

  /** A host file in which the reader stops. */
  private final class Watched extends ForwardingFile {
    Watched(HostFile file) {
      super(file);
    }

    @Override
    public int read(ByteBuffer dst, long offset) throws IOException {
      if (Thread.currentThread().equals(reader) && ++hostReads == last) {
        stopped.complete(true);
        await(goOn);
      }
      return super.read(dst, offset);
    }

    @Override
    public void close() {}
  }

  /** The read sees what was there when it began, or zeroes, and the image stays sound. */
  void run() throws Exception {
    Afterwards afterwards = new Afterwards(subject, false);
    subject.create(files, subject.size(), Optional.empty());
    try (BlockDevice device = subject.open(files, true, Optional.empty())) {
      long unit = Afterwards.unit(device);
      long discarded = Math.max(unit, subject.size() / 4 / unit * unit);
      write(device, OLD, 0, discarded);
      device.flush();
      FutureTask<byte[]> read = new FutureTask<>(() -> readLate(device));
      Thread thread = new Thread(read, "late reader");
      reader = thread;
      thread.start();
      try {
        CompletableFuture.anyOf(stopped, CompletableFuture.runAsync(() -> join(thread))).join();
        device.discard(0, discarded);
        device.flush();
        device.flush();
        write(device, NEW, discarded, subject.size() - discarded);
        device.flush();
      } finally {
        goOn.countDown();
      }
      check("the late read", OLD, 0, read.get());
      checkAll(device, discarded);
    }
    afterwards.check(files);
  }

  /** Brings the tables into memory, counts the host reads that are left, stops at the last. */
  private byte[] readLate(BlockDevice device) throws IOException {
    read(device, 0);
    hostReads = 0;
    read(device, 0);
    last = hostReads;
    hostReads = 0;
    return read(device, 0);
  }

  private static void write(BlockDevice device, int stamp, long offset, long length)
      throws IOException {
    device.write(ByteBuffer.wrap(Pattern.bytes(stamp, offset, (int) length)), offset);
  }

  private static byte[] read(BlockDevice device, long offset) throws IOException {
    byte[] sector = new byte[(int) Math.min(SECTOR, device.size() - offset)];
    device.read(ByteBuffer.wrap(sector), offset);
    return sector;
  }

  private static void checkAll(BlockDevice device, long discarded) throws IOException {
    for (long offset = 0; offset < device.size(); offset += SECTOR) {
      check("the device", offset < discarded ? OLD : NEW, offset, read(device, offset));
    }
  }

  /** What was discarded may read as zero. */
  private static void check(String who, int stamp, long offset, byte[] found) {
    byte[] expected = Pattern.bytes(stamp, offset, found.length);
    boolean isGone = stamp == OLD && Arrays.equals(found, new byte[found.length]);
    if (!isGone && !Arrays.equals(found, expected)) {
      int at = Math.min(Arrays.mismatch(found, expected) & -Long.BYTES, found.length - Long.BYTES);
      long word = ByteBuffer.wrap(found).getLong(at);
      throw new AssertionError(
          who + " finds at offset " + (offset + at) + " " + Pattern.describe(word));
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}

package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Xen's batmap in memory: a set bit tells Xen that a block's bitmap need not be read, because all
 * sectors are there. We read the bitmaps all the same. Thread-safe.
 *
 * <p>It keeps: a bit on disk is set only when the block's bitmap is durable, and cleared before the
 * block may lose its place. So it is written when the image is closed, as Xen's drivers do, and
 * before blocks are given up. A batmap whose checksum was wrong begins empty.
 */
final class Batmap {
  private final HostFile file;
  private final long virtualSize;
  private final ReentrantLock lock = new ReentrantLock();

  // Under the lock:
  private BatmapHeader header;
  private final ByteBuffer bits;

  /** Bits that are set as soon as what they rely on is durable. */
  private final ByteBuffer later;

  private boolean changed;

  private Batmap(HostFile file, BatmapHeader header, ByteBuffer bits, long virtualSize) {
    this.file = file;
    this.header = header;
    this.bits = bits;
    this.later = ByteBuffer.allocate(bits.capacity());
    this.virtualSize = virtualSize;
  }

  /** The batmap of a disk; null if it has none. */
  static @Nullable Batmap read(Structures structures) throws IOException {
    if (structures.batmap().isEmpty()) {
      return null;
    }
    BatmapHeader header = structures.batmap().get();
    ByteBuffer bits = readBits(structures.file(), header);
    long size = structures.virtualSize();
    boolean right = header.hasRightChecksum(bits, size);
    ByteBuffer used = right ? bits : ByteBuffer.allocate(bits.capacity());
    Batmap batmap = new Batmap(structures.file(), header, used, size);
    batmap.changed = !right;
    return batmap;
  }

  /** The bits as they are on disk. */
  static ByteBuffer readBits(HostFile file, BatmapHeader header) throws IOException {
    ByteBuffer bits = ByteBuffer.allocate((int) header.mapBytes());
    file.readFully(bits, header.mapOffset());
    return bits.clear();
  }

  /** Whether a block's bit is set in such bits. */
  static boolean isSet(ByteBuffer bits, long block) {
    return block >>> 3 < bits.capacity()
        && ((bits.get((int) (block >>> 3)) << (block & 7)) & 0x80) != 0;
  }

  private static void put(ByteBuffer bits, long block, boolean value) {
    int at = (int) (block >>> 3);
    int mask = 0x80 >>> (block & 7);
    int old = bits.get(at);
    bits.put(at, (byte) (value ? old | mask : old & ~mask));
  }

  /** All sectors of a block are there from now on. */
  void fill(long block) {
    if (block >>> 3 >= bits.capacity()) {
      return;
    }
    lock.lock();
    try {
      if (!isSet(bits, block)) {
        put(later, block, true);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Blocks may lose their places: their bits are durably gone when this returns. */
  void clear(long block, long count) throws IOException {
    lock.lock();
    try {
      boolean wasSet = false;
      for (long b = block; b < block + count && b >>> 3 < bits.capacity(); b++) {
        wasSet |= isSet(bits, b);
        put(bits, b, false);
        put(later, b, false);
      }
      if (wasSet) {
        changed = true;
        write();
        file.flush();
      }
    } finally {
      lock.unlock();
    }
  }

  /** All tables are durable: what is full can be told. */
  void settle() throws IOException {
    lock.lock();
    try {
      for (int i = 0; i < bits.capacity(); i++) {
        if (later.get(i) != 0) {
          bits.put(i, (byte) (bits.get(i) | later.get(i)));
          later.put(i, (byte) 0);
          changed = true;
        }
      }
      if (changed) {
        write();
      }
    } finally {
      lock.unlock();
    }
  }

  private void write() throws IOException {
    header = header.withChecksum(bits, virtualSize);
    if (header.mapOffset() == header.headerOffset() + BatmapHeader.BYTES) {
      ByteBuffer both = ByteBuffer.allocate(BatmapHeader.BYTES + bits.capacity());
      file.write(
          both.put(header.bytes()).put(bits.duplicate().clear()).flip(), header.headerOffset());
    } else {
      file.write(bits.duplicate().clear(), header.mapOffset());
      file.write(header.bytes(), header.headerOffset());
    }
    changed = false;
  }
}

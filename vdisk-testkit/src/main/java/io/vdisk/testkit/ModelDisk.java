package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;

/**
 * An array of bytes beside a device. A discarded byte is the old one or zero until somebody reads
 * it; from then on it is what was read.
 */
final class ModelDisk implements Closeable {
  /** How a device is opened again. */
  @FunctionalInterface
  interface Reopening {
    BlockDevice reopen(BlockDevice device) throws IOException;
  }

  private final byte[] content;
  private final BitSet discarded = new BitSet();
  private final Reopening reopening;
  private BlockDevice device;

  ModelDisk(BlockDevice device, byte[] content, Reopening reopening) {
    this.device = device;
    this.content = content.clone();
    this.reopening = reopening;
  }

  /** Does it to both, and compares what can be seen. */
  void run(Request request) throws IOException {
    int offset = request.offset();
    int length = request.length();
    switch (request.kind()) {
      case READ -> read(offset, length);
      case WRITE -> write(request.content(), offset);
      case ZERO -> {
        device.writeZeroes(offset, length);
        put(new byte[length], offset);
      }
      case DISCARD -> {
        device.discard(offset, length);
        discarded.set(offset, offset + length);
      }
      case FLUSH -> device.flush();
      case REOPEN -> device = reopening.reopen(device);
      case EXTENTS -> walk(offset, length);
    }
    if (device.size() != content.length) {
      throw new AssertionError("size " + device.size() + " after " + request);
    }
  }

  private void write(byte[] bytes, int offset) throws IOException {
    ByteBuffer src = ByteBuffer.wrap(bytes);
    device.write(src, offset);
    if (src.hasRemaining()) {
      throw new AssertionError("a short write of " + bytes.length + " at " + offset);
    }
    put(bytes, offset);
  }

  private void put(byte[] bytes, int offset) {
    System.arraycopy(bytes, 0, content, offset, bytes.length);
    discarded.clear(offset, offset + bytes.length);
  }

  private void read(int offset, int length) throws IOException {
    ByteBuffer dst = ByteBuffer.allocate(length);
    device.read(dst, offset);
    if (dst.hasRemaining()) {
      throw new AssertionError("a short read of " + length + " at " + offset);
    }
    for (int i = 0; i < length; i++) {
      see(offset + i, dst.get(i));
    }
  }

  /** Compares one byte, and pins it. */
  private void see(int offset, byte actual) {
    byte expected = content[offset];
    boolean zeroed = actual == 0 && discarded.get(offset);
    if (actual != expected && !zeroed) {
      throw new AssertionError(
          "the byte at " + offset + " is " + actual + " and should be " + expected);
    }
    content[offset] = actual;
    discarded.clear(offset);
  }

  private void walk(int offset, int length) {
    long position = offset;
    for (Extent extent : device.extents(offset, length)) {
      if (extent.offset() != position) {
        throw new AssertionError("expected an extent at " + position + ", not " + extent);
      }
      position += extent.length();
      if (extent.readsAsZero()) {
        for (int i = (int) extent.offset(); i < position; i++) {
          see(i, (byte) 0);
        }
      }
    }
    if (position != offset + (long) length) {
      throw new AssertionError(
          "the extents of " + length + " at " + offset + " end at " + position);
    }
  }

  @Override
  public void close() throws IOException {
    device.close();
  }
}

package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;

/** Counts the requests that are under way. Any thread may call; two do not share a counter. */
final class CountedDevice extends ForwardingDevice {
  private final LongAdder begun;
  private final LongAdder ended;

  CountedDevice(BlockDevice device, LongAdder begun, LongAdder ended) {
    super(device);
    this.begun = begun;
    this.ended = ended;
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    begun.increment();
    try {
      super.read(dst, offset);
    } finally {
      ended.increment();
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    begun.increment();
    try {
      super.write(src, offset);
    } finally {
      ended.increment();
    }
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    begun.increment();
    try {
      super.writeZeroes(offset, length);
    } finally {
      ended.increment();
    }
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    begun.increment();
    try {
      super.discard(offset, length);
    } finally {
      ended.increment();
    }
  }

  @Override
  public void flush() throws IOException {
    begun.increment();
    try {
      super.flush();
    } finally {
      ended.increment();
    }
  }
}

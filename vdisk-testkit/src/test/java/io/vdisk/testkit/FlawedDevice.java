package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import io.vdisk.ImageInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.NonWritableChannelException;
import java.util.Set;

/** A device with one flaw, to show that the contracts see it. */
final class FlawedDevice implements BlockDevice {
  /** What is wrong. */
  enum Flaw {
    WRITE_LOSES_THE_LAST_BYTE,
    WRITE_SPILLS_OVER,
    WRITE_STARTS_BEFORE_IT_CHECKS,
    WRITE_MOVES_THE_LIMIT,
    READ_SPILLS_OVER,
    ZEROING_LEAVES_THE_LAST_BYTE,
    ZEROING_TAKES_A_BYTE_MORE,
    DISCARD_TAKES_A_BYTE_MORE,
    DISCARD_GIVES_GARBAGE,
    DATA_IS_CALLED_A_HOLE,
    DATA_LIES_ELSEWHERE,
    EXTENT_IS_PAST_THE_LIMIT,
    FLUSH_FORGETS,
    READ_ONLY_SWALLOWS_WRITES,
    CLOSED_READS_ZEROES,
    INTERRUPT_FAILS_READS,
    CAPABILITIES_CHANGE,
  }

  private final BlockDevice device;
  private final Flaw flaw;
  private boolean touched;
  private boolean closed;

  FlawedDevice(BlockDevice device, Flaw flaw) {
    this.device = device;
    this.flaw = flaw;
  }

  BlockDevice device() {
    return device;
  }

  @Override
  public ImageInfo info() {
    return device.info();
  }

  @Override
  public long size() {
    return device.size();
  }

  @Override
  public Set<Capability> capabilities() {
    boolean changed = flaw == Flaw.CAPABILITIES_CHANGE && touched;
    return changed ? Set.of(Capability.WRITE) : device.capabilities();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    if (flaw == Flaw.CLOSED_READS_ZEROES && closed) {
      dst.position(dst.limit());
      return;
    }
    if (flaw == Flaw.INTERRUPT_FAILS_READS && Thread.currentThread().isInterrupted()) {
      throw new ClosedByInterruptException();
    }
    device.read(dst, offset);
    if (flaw == Flaw.READ_SPILLS_OVER && dst.limit() < dst.capacity()) {
      int limit = dst.limit();
      dst.limit(limit + 1).put(limit, (byte) 1).limit(limit);
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    touched = true;
    int limit = src.limit();
    switch (flaw) {
      case WRITE_LOSES_THE_LAST_BYTE -> {
        boolean crosses = offset / PlainImage.UNIT != (offset + limit) / PlainImage.UNIT;
        device.write(src.limit(Math.max(src.position(), crosses ? limit - 1 : limit)), offset);
        src.limit(limit).position(limit);
      }
      case WRITE_SPILLS_OVER -> {
        long end = offset + src.remaining();
        device.write(src, offset);
        if (end % 3 == 0 && end < size()) {
          device.write(ByteBuffer.allocate(1), end);
        }
      }
      case WRITE_STARTS_BEFORE_IT_CHECKS -> {
        if (offset >= 0 && offset < size() && offset + src.remaining() > size()) {
          device.write(ByteBuffer.allocate(1), offset);
        }
        device.write(src, offset);
      }
      case WRITE_MOVES_THE_LIMIT -> {
        device.write(src, offset);
        src.limit(src.capacity());
      }
      case READ_ONLY_SWALLOWS_WRITES -> {
        try {
          device.write(src, offset);
        } catch (NonWritableChannelException e) {
          src.position(limit);
        }
      }
      default -> device.write(src, offset);
    }
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    switch (flaw) {
      case ZEROING_LEAVES_THE_LAST_BYTE -> device.writeZeroes(offset, length - length % 2);
      case ZEROING_TAKES_A_BYTE_MORE -> device.writeZeroes(offset, more(offset, length));
      default -> device.writeZeroes(offset, length);
    }
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    device.discard(offset, length);
    if (flaw == Flaw.DISCARD_TAKES_A_BYTE_MORE) {
      device.writeZeroes(offset, more(offset, length));
    } else if (flaw == Flaw.DISCARD_GIVES_GARBAGE && length > 1) {
      device.write(ByteBuffer.wrap(new byte[] {99, 98}), offset);
    }
  }

  private long more(long offset, long length) {
    return length > 0 && offset + length < size() ? length + 1 : length;
  }

  @Override
  public void flush() throws IOException {
    device.flush();
    if (flaw == Flaw.FLUSH_FORGETS && touched && size() > 0) {
      device.writeZeroes(size() - 1, 1);
    }
  }

  @Override
  public Extent extentAt(long offset, long limit) throws IOException {
    Extent extent = device.extentAt(offset, limit);
    boolean data = extent.kind() == Extent.Kind.DATA;
    return switch (flaw) {
      case DATA_IS_CALLED_A_HOLE -> Extent.hole(offset, extent.length());
      case DATA_LIES_ELSEWHERE ->
          data && extent.file().isPresent()
              ? Extent.data(offset, extent.length(), extent.file().get(), extent.fileOffset() + 1)
              : extent;
      case EXTENT_IS_PAST_THE_LIMIT -> extent.withLength(extent.length() + 1);
      default -> extent;
    };
  }

  @Override
  public void close() throws IOException {
    closed = true;
    device.close();
  }
}

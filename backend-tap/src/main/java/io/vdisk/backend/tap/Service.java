package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Does what requests ask for, on a block device. Whatever a request says and whatever the device
 * does, there is an answer, and never an exception. Any thread may call.
 */
final class Service {
  private static final Logger LOG = System.getLogger(Service.class.getName());

  private final String guest;
  private final ServeOptions options;
  private final AtomicBoolean hasFailed = new AtomicBoolean();

  private volatile BlockDevice device;

  Service(String guest, BlockDevice device, ServeOptions options) {
    this.guest = guest;
    this.device = device;
    this.options = options;
  }

  /** From the next request on it is done on this device. */
  void setDevice(BlockDevice device) {
    this.device = device;
  }

  /** Bytes of the disk. */
  long size() {
    return device.size();
  }

  /**
   * Says of a request what can be said before its data is there.
   *
   * @return {@link TapStatus#OKAY} if it may go on
   */
  TapStatus check(TapRequest request, TapTransport transport) throws IOException {
    if (!request.isKnown() || request.operation() == TapOperation.INDIRECT) {
      return TapStatus.UNSUPPORTED;
    }
    if (!request.hasAllowedCount()) {
      return TapStatus.ERROR;
    }
    if (request.isIndirect() && !transport.readSegments(request)) {
      return TapStatus.ERROR;
    }
    boolean changes = request.operation() != TapOperation.READ && request.sectorCount() > 0;
    return request.isWithin(device.size()) && !(changes && options.isReadOnly())
        ? TapStatus.OKAY
        : TapStatus.ERROR;
  }

  /**
   * Does what a request asks for.
   *
   * @param data as long as its segments; null if it has none
   */
  TapStatus serve(TapRequest request, ByteBuffer data) {
    try {
      perform(request, data);
      return TapStatus.OKAY;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      if (hasFailed.compareAndSet(false, true)) {
        String sentence = guest + ": a request failed; others that do are only counted";
        LOG.log(Level.WARNING, sentence, e);
      }
      return TapStatus.ERROR;
    }
  }

  private void perform(TapRequest request, ByteBuffer data) throws IOException {
    BlockDevice disk = device;
    long offset = request.sector() * TapRequest.SECTOR_SIZE;
    boolean hasData = request.segmentCount() > 0;
    switch (request.operation()) {
      case READ -> disk.read(data, offset);
      case WRITE -> write(disk, data, offset);
      case WRITE_BARRIER -> {
        disk.flush();
        if (hasData) {
          disk.write(data, offset);
          disk.flush();
        }
      }
      case FLUSH -> {
        disk.flush();
        if (hasData) {
          write(disk, data, offset);
        }
      }
      case DISCARD -> disk.discard(offset, request.sectorCount() * TapRequest.SECTOR_SIZE);
      case INDIRECT -> throw new AssertionError("an indirect request is a read or a write");
    }
  }

  private void write(BlockDevice disk, ByteBuffer data, long offset) throws IOException {
    disk.write(data, offset);
    if (options.isSerial()) {
      disk.flush();
    }
  }

  /** Counts a request that was answered. */
  void count(TapRequest request, TapStatus status, long nanoseconds) {
    boolean failed = status != TapStatus.OKAY;
    if (!request.isKnown() || !request.hasAllowedCount()) {
      return;
    }
    long sectors = failed ? 0 : request.sectorCount();
    RequestStatistics statistics = options.statistics();
    switch (request.operation()) {
      case READ -> statistics.read(sectors, nanoseconds, failed);
      case WRITE, WRITE_BARRIER -> statistics.wrote(sectors, nanoseconds, failed);
      case FLUSH -> statistics.flushed(nanoseconds, failed);
      case DISCARD -> statistics.discarded(sectors, nanoseconds, failed);
      case INDIRECT -> {}
    }
  }
}

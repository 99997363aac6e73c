package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Does what requests ask for, on a block device. Whatever a request says and whatever the device
 * does, there is an answer, and never an exception. Any thread may call.
 */
final class Service {
  private static final Logger LOG = System.getLogger(Service.class.getName());

  private final TapTransport guest;
  private final ServeOptions options;
  private final AtomicBoolean hasFailed = new AtomicBoolean();

  private final GuestQueues queues;
  private volatile Optional<WriteLog> log;

  private volatile BlockDevice device;

  private Service(
      TapTransport guest,
      BlockDevice device,
      ServeOptions options,
      GuestQueues queues,
      Optional<WriteLog> log) {
    this.guest = guest;
    this.device = device;
    this.options = options;
    this.queues = queues;
    this.log = log;
  }

  /**
   * Begins with what a server that is gone left to be done for the same guest.
   *
   * @throws IOException also for one of several queues of a disk that is serial: it does one
   *     request at a time
   */
  static Service begin(TapTransport guest, BlockDevice device, ServeOptions options)
      throws IOException {
    GuestQueues queues = guest.queues();
    if (options.isSerial() && queues.count() > 1) {
      throw new IOException(guest + ": this disk is served through one queue");
    }
    Optional<Path> beginning = mayKeep(options) ? options.writeLogs() : Optional.empty();
    Optional<WriteLog> log =
        beginning.isPresent()
            ? Optional.of(queues.begin(device, beginning.get(), options.logs()))
            : Optional.empty();
    return new Service(guest, device, options, queues, log);
  }

  /** Ends: makes durable what was answered, and leaves nothing to be done. */
  void end() throws IOException {
    if (log.isPresent()) {
      flush(device);
      queues.end();
    }
  }

  /** What was answered becomes durable, and need not be kept; if it cannot be it stays kept. */
  void settle() {
    try {
      queues.settle(device);
    } catch (IOException e) {
      // whoever closes the images is told the same
    }
  }

  /**
   * From the next request on it is done on this device; if it is another, the one before is
   * durable, and no other queue of the guest is served meanwhile.
   */
  void setDevice(BlockDevice other) {
    queues.become(other);
    device = other;
  }

  /**
   * The same, before it goes on, where the logs of the other device's image begin so; the one
   * before may have kept what was answered itself.
   */
  void setDevice(BlockDevice other, Path writeLogs) throws IOException {
    if (log.isEmpty() && mayKeep(options)) {
      log = Optional.of(queues.begin(other, writeLogs, options.logs()));
    } else {
      queues.become(other, writeLogs);
    }
    device = other;
  }

  private static boolean mayKeep(ServeOptions options) {
    return !options.isReadOnly() && !options.isSerial();
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
      tell(e);
      return TapStatus.ERROR;
    }
  }

  /** A request failed: the first that does is told. */
  void tell(Throwable failure) {
    if (hasFailed.compareAndSet(false, true)) {
      String sentence = guest + ": a request failed; others that do are only counted";
      LOG.log(Level.WARNING, sentence, failure);
    }
  }

  private void perform(TapRequest request, ByteBuffer data) throws IOException {
    log.ifPresent(WriteLog::begins);
    BlockDevice disk = device;
    long offset = request.sector() * TapRequest.SECTOR_SIZE;
    boolean hasData = request.segmentCount() > 0;
    switch (request.operation()) {
      case READ -> disk.read(data, offset);
      case WRITE -> write(disk, data, offset);
      case WRITE_BARRIER -> {
        flush(disk);
        if (hasData) {
          inOrder(data, offset, () -> disk.write(data, offset));
          flush(disk);
        }
      }
      case FLUSH -> {
        flush(disk);
        if (hasData) {
          write(disk, data, offset);
        }
      }
      case DISCARD -> disk.discard(offset, request.sectorCount() * TapRequest.SECTOR_SIZE);
      case INDIRECT -> throw new AssertionError("an indirect request is a read or a write");
    }
  }

  private void write(BlockDevice disk, ByteBuffer data, long offset) throws IOException {
    inOrder(data, offset, () -> writeAndKeep(disk, data, offset));
    if (options.isSerial()) {
      disk.flush();
    }
  }

  /** Holds locks meanwhile: what the guest's memory has to say is heard before they are let go. */
  private void inOrder(ByteBuffer data, long offset, WriteOrder.Write write) throws IOException {
    if (log.isEmpty()) {
      write.run();
      return;
    }
    guest.settle();
    WriteOrder.Write settled =
        () -> {
          try {
            write.run();
          } finally {
            guest.settle();
          }
        };
    log.get().order().write(offset, data.remaining(), settled);
  }

  private void writeAndKeep(BlockDevice disk, ByteBuffer data, long offset) throws IOException {
    ByteBuffer copy = data.duplicate();
    disk.write(data, offset);
    if (log.isPresent()) {
      guest.settle();
      while (!log.get().add(offset, copy)) {
        flush(disk);
      }
    }
  }

  private void flush(BlockDevice disk) throws IOException {
    if (log.isPresent()) {
      log.get().flush(disk);
    } else {
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

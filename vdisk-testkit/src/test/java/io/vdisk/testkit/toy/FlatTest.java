package io.vdisk.testkit.toy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.HostOperation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FlatTest extends ToyContracts {
  static final ToySubject SUBJECT = new ToySubject(new FlatFormat(8), 1, (2 << 20) + 700);

  @Override
  ToySubject subject() {
    return SUBJECT;
  }

  /** What others take between a thread's flush and its second try must not exhaust the file. */
  @Override
  ToySubject racing() {
    return new ToySubject(new FlatFormat(1024), 1, SUBJECT.size());
  }

  private final FlushCounter file = new FlushCounter("image");

  private BlockDevice create() throws IOException {
    List<HostFile> files = List.of(file);
    SUBJECT.create(files, SUBJECT.size(), Optional.empty());
    BlockDevice device = SUBJECT.open(files, true, Optional.empty());
    device.write(ByteBuffer.allocate(1), 0);
    device.flush();
    int unused = file.take();
    return device;
  }

  /** Data, log entry, tables in their places. */
  @Override
  int allocationFlushes() {
    return 3;
  }

  /** A log entry holds 8 slices, here are 9 of the table alone: the log would refuse them. */
  @Test
  void unflushedAllocationsOverflowNoLogEntry() throws IOException {
    try (BlockDevice device = create()) {
      for (long offset = 0; offset < device.size(); offset += TableLayout.UNIT) {
        device.write(ByteBuffer.allocate(1), offset);
      }
      assertTrue(file.take() > 0);
    }
  }

  /** Whatever the log makes of more than it can hold: it does not write on behind its end. */
  @Test
  void noLogEntryReachesBehindTheLog() throws IOException {
    CrashDisk disk = new CrashDisk();
    List<HostFile> files = List.of(disk.file("image"));
    SUBJECT.create(files, SUBJECT.size(), Optional.empty());
    long log = ToyHeader.BYTES;
    List<Long> ends = new ArrayList<>();
    try (BlockDevice device = SUBJECT.open(files, true, Optional.empty())) {
      disk.setHook(
          event -> {
            if (event.operation() == HostOperation.WRITE && event.offset() == log) {
              ends.add(event.offset() + event.length());
            }
          });
      for (long offset = 0; offset < device.size(); offset += TableLayout.UNIT) {
        device.write(ByteBuffer.allocate(1), offset);
      }
      device.flush();
    }
    assertEquals(log + ToyLog.BYTES, Collections.max(ends));
  }

  /** The disk is written and discarded whole, again and again; 8 units are spare. */
  @Test
  void fullFileOffersWhatWasDiscarded() throws IOException {
    try (BlockDevice device = create()) {
      for (int round = 0; round < 5; round++) {
        device.write(ByteBuffer.allocate((int) device.size()), 0);
        device.discard(0, device.size());
      }
    }
    assertEquals(0, SUBJECT.report(List.of(file)).leaks());
  }
}

package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.feature.UnitWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.TreeSet;

/** Does the steps of a history to a device, and tells the model. One thread. */
final class Guest {
  private static final int SECTOR = SectorModel.SECTOR;

  /** What is compared around a touched byte: copying up goes wrong in the neighbourhood. */
  private static final int REGION = 16 << 10;

  /** Bytes that are read at a time. */
  private static final int READ = 64 << 10;

  private final SectorModel model;
  private final Subject subject;
  private final TreeSet<Long> regions = new TreeSet<>();

  /**
   * A guest.
   *
   * @param subject whose image it uses
   */
  Guest(SectorModel model, Subject subject) {
    this.model = model;
    this.subject = subject;
  }

  /** One of {@link SectorModel}'s checks; the array is the caller's, and used again. */
  @FunctionalInterface
  interface SectorCheck {
    void sector(long sector, byte[] found) throws IOException;
  }

  SectorModel model() {
    return model;
  }

  /** Does a step other than a reopening, and checks that it is seen. */
  void doStep(GuestStep step, BlockDevice device) throws IOException {
    change(step, device);
    verify(step, device);
  }

  /** Does a step other than a reopening. If it fails, {@link #settle} must follow. */
  void change(GuestStep step, BlockDevice device) throws IOException {
    switch (step.kind()) {
      case WRITE -> {
        announce(step, step.bytes());
        device.write(ByteBuffer.wrap(step.bytes()), step.offset());
      }
      case APPEND -> {
        announce(step, step.bytes());
        append(step, device.feature(UnitWriter.class).orElseThrow());
      }
      case WRITE_ZEROES -> {
        announce(step, new byte[step.length()]);
        device.writeZeroes(step.offset(), step.length());
      }
      case DISCARD -> {
        announce(step, new byte[step.length()]);
        device.discard(step.offset(), step.length());
      }
      case FLUSH -> {
        device.flush();
        model.flushed();
      }
      case ALTER -> subject.alter(device, step.stamp());
      case REOPEN -> throw new IllegalArgumentException("not the guest's: " + step);
    }
  }

  private static void append(GuestStep step, UnitWriter units) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(step.bytes());
    for (long offset = step.offset(); bytes.hasRemaining(); offset += units.unit()) {
      // The last unit is zero past the end of the disk.
      byte[] unit = new byte[units.unit()];
      bytes.get(unit, 0, Math.min(unit.length, bytes.remaining()));
      units.append(offset, ByteBuffer.wrap(unit), units.encode(ByteBuffer.wrap(unit)));
    }
  }

  /** Checks that a step that succeeded is seen, and that its neighbours are as they were. */
  void verify(GuestStep step, BlockDevice device) throws IOException {
    if (step.kind() == GuestStep.Kind.DISCARD) {
      settle(step, device);
    }
    checkAround(step, device);
  }

  private void announce(GuestStep step, byte[] bytes) throws IOException {
    model.announce(step.offset(), bytes);
    long end = step.offset() + step.length();
    for (long region = step.offset() / REGION; region * REGION < end; region++) {
      regions.add(region);
    }
  }

  /** The step may have happened, sector by sector, or not: finds out which. */
  void settle(GuestStep step, BlockDevice device) throws IOException {
    check(device, step.offset(), step.offset() + step.length(), model::settle);
  }

  private void checkAround(GuestStep step, BlockDevice device) throws IOException {
    if (step.length() == 0) {
      return;
    }
    long from = Math.max(0, step.offset() - SECTOR);
    long to = Math.min(model.size(), step.offset() + step.length() + SECTOR);
    check(device, from, to, model::checkCurrent);
  }

  /** Reads everything near what was touched. */
  void checkTouched(BlockDevice device, SectorCheck check) throws IOException {
    for (long region : regions) {
      long from = region * REGION;
      check(device, from, Math.min(from + REGION, model.size()), check);
    }
  }

  /** Reads the whole disk. */
  void checkAll(BlockDevice device, SectorCheck check) throws IOException {
    check(device, 0, model.size(), check);
  }

  /** Checks the sectors that a range touches. */
  private void check(BlockDevice device, long from, long to, SectorCheck check) throws IOException {
    long start = from & -SECTOR;
    long end = Math.min((to + SECTOR - 1) & -SECTOR, model.size());
    byte[] bytes = new byte[(int) Math.min(end - start, READ)];
    byte[] found = new byte[SECTOR];
    for (long position = start; position < end; ) {
      int length = (int) Math.min(end - position, bytes.length);
      device.read(ByteBuffer.wrap(bytes, 0, length), position);
      for (int i = 0; i < length; i += SECTOR) {
        // The last sector of a disk may be cut short; the rest of it is zero in the model.
        int here = Math.min(SECTOR, length - i);
        System.arraycopy(bytes, i, found, 0, here);
        Arrays.fill(found, here, SECTOR, (byte) 0);
        check.sector((position + i) / SECTOR, found);
      }
      position += length;
    }
  }
}

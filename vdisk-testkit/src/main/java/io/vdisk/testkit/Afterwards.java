package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Looks at what a power cut or a failure left of an image. */
final class Afterwards {
  /** Units smaller or larger than these are treated as if they were this large. */
  private static final long MIN_UNIT = 4096;

  private static final long MAX_UNIT = 2 << 20;

  /** One image of so many is read whole. */
  private static final int READ_WHOLE = 16;

  private final Subject subject;
  private final Optional<PatternDevice> pattern;

  Afterwards(Subject subject, boolean withBacking) {
    this.subject = subject;
    this.pattern =
        withBacking ? Optional.of(new PatternDevice(subject.size() * 5 / 8)) : Optional.empty();
  }

  Optional<BlockDevice> backing() {
    return pattern.map(device -> device);
  }

  /** What a sector holds that nobody wrote to. */
  byte[] untouched(long sector) throws IOException {
    return pattern.isPresent()
        ? pattern.orElseThrow().sector(sector)
        : new byte[SectorModel.SECTOR];
  }

  /** Bytes that a history should take for the unit of {@code device}. */
  static long unit(BlockDevice device) {
    return Math.max(MIN_UNIT, Math.min(MAX_UNIT, device.info().unit()));
  }

  /** The image has no errors. */
  void check(List<HostFile> image) throws IOException {
    List<String> errors = subject.check(image);
    if (!errors.isEmpty()) {
      throw new AssertionError("check finds " + errors);
    }
  }

  /** The image has no errors, and each sector holds its flushed value or a later one. */
  void examine(CrashImage image, Guest guest, Random random) throws IOException {
    List<HostFile> files = KeptFile.of(image.files());
    check(files);
    SectorModel model = guest.model();
    Guest.SectorCheck check = image.torn() ? model::checkTornSurvivor : model::checkSurvivor;
    try (BlockDevice device = subject.open(files, false, backing())) {
      if (device.size() != subject.size()) {
        throw new AssertionError("the disk has " + device.size() + " bytes");
      }
      if (random.nextInt(READ_WHOLE) == 0) {
        guest.checkAll(device, check);
      } else {
        guest.checkTouched(device, check);
      }
    }
  }

  /** The image is good for further work, and shows the same all the time. */
  void goOn(List<HostFile> image, Random random) throws IOException {
    List<byte[]> left = new ArrayList<>();
    Guest guest =
        new Guest(new SectorModel(subject.size(), sector -> left.get((int) sector)), subject);
    try (BlockDevice device = subject.open(image, false, backing())) {
      guest.checkAll(device, (sector, found) -> left.add(found.clone()));
    }
    try (BlockDevice device = subject.open(image, true, backing())) {
      guest.checkAll(device, guest.model()::checkCurrent);
      for (GuestStep step : GuestStep.history(random, 6, device, subject.alters())) {
        if (step.kind() != GuestStep.Kind.REOPEN) {
          guest.doStep(step, device);
        }
      }
    }
    check(image);
    try (BlockDevice device = subject.open(image, false, backing())) {
      guest.checkAll(device, guest.model()::checkCurrent);
    }
  }

  @Override
  public String toString() {
    return pattern.isPresent() ? " over a backing device" : "";
  }
}

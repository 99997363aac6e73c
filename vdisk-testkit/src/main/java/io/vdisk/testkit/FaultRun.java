package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.file.HostFlushException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One history of a guest, in which a given host operation fails. */
final class FaultRun {
  /** The number of no operation. */
  static final long NONE = Long.MAX_VALUE;

  private static final int STEPS = 40;

  /** Steps that are tried on a device that must refuse them. */
  private static final int REFUSED_STEPS = 6;

  private final Subject subject;
  private final long seed;
  private final boolean forEver;
  private final long failing;
  private final Afterwards afterwards;
  private final CrashDisk disk = new CrashDisk();
  private final FaultPlan plan;
  private final List<HostFile> files = new ArrayList<>();
  private final Guest guest;
  private String place = "creation";

  /** Whether a host flush has failed and the device knows. */
  private boolean poisoned;

  /**
   * A run.
   *
   * @param failing number of the host operation that fails
   * @param forEver whether every later change of a file fails as well; then no read fails
   */
  FaultRun(Subject subject, long seed, boolean withBacking, long failing, boolean forEver) {
    this.subject = subject;
    this.seed = seed;
    this.failing = failing;
    this.forEver = forEver;
    this.afterwards = new Afterwards(subject, withBacking);
    Set<HostOperation> counted = EnumSet.allOf(HostOperation.class);
    if (forEver) {
      counted.remove(HostOperation.READ);
    }
    this.plan = new FaultPlan(counted, seed + failing);
    this.guest = new Guest(new SectorModel(subject.size(), afterwards::untouched), subject);
  }

  /** Runs it; returns how many host operations there were. */
  long run() throws IOException {
    try {
      create();
      boolean closed = play();
      plan.pause();
      place += ", afterwards";
      lookAtWhatIsLeft(closed);
      return plan.count();
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError(where() + ": " + e, e);
    }
  }

  private void create() throws IOException {
    List<HostFile> made = new ArrayList<>();
    for (int i = 0; i < subject.files(); i++) {
      made.add(plan.on(disk.file("image" + i)));
    }
    files.addAll(KeptFile.of(made));
    plan.pause();
    subject.create(files, subject.size(), afterwards.backing());
    for (HostFile file : files) {
      file.flush();
    }
    plan.resume();
    if (forEver) {
      plan.failFrom(failing);
    } else {
      plan.failOnce(failing);
    }
  }

  /** Returns whether the device was closed without an exception. */
  private boolean play() throws IOException {
    BlockDevice device = open();
    if (device == null) {
      return false;
    }
    int refused = 0;
    for (GuestStep step : GuestStep.history(new Random(seed), STEPS, device, subject.alters())) {
      place = step.toString();
      if (step.kind() != GuestStep.Kind.REOPEN) {
        doStep(step, device);
        if (poisoned && ++refused > REFUSED_STEPS) {
          break;
        }
      } else if (!poisoned) {
        if (!close(device)) {
          return false;
        }
        device = open();
        if (device == null) {
          return false;
        }
      }
    }
    plan.pause();
    guest.checkAll(device, guest.model()::checkCurrent);
    plan.resume();
    place = "closing";
    return close(device);
  }

  /** The device; null if it cannot be opened because every change fails. */
  private @Nullable BlockDevice open() throws IOException {
    boolean before = plan.hasFailed();
    try {
      return subject.open(files, true, afterwards.backing());
    } catch (HostFlushException e) {
      mustBePlanned(before, e);
      return null;
    } catch (IOException e) {
      mustBePlanned(before, e);
      return forEver ? null : subject.open(files, true, afterwards.backing());
    }
  }

  private void doStep(GuestStep step, BlockDevice device) throws IOException {
    boolean before = plan.hasFailed();
    boolean mustFail = poisoned;
    try {
      guest.change(step, device);
      if (mustFail) {
        throw new AssertionError("succeeds though a host flush has failed");
      }
    } catch (IOException e) {
      if (!mustFail) {
        mustBePlanned(before, e);
        poisoned = isFlush(e);
      }
      plan.pause();
      guest.settle(step, device);
      guest.checkTouched(device, guest.model()::checkCurrent);
      plan.resume();
      return;
    }
    // Before the fault only what must be is read: what is in no cache has more ways to fail.
    if (plan.hasFailed() || step.kind() == GuestStep.Kind.DISCARD) {
      plan.pause();
      guest.verify(step, device);
      plan.resume();
    }
  }

  private boolean close(BlockDevice device) throws IOException {
    boolean before = plan.hasFailed();
    try {
      device.close();
    } catch (IOException e) {
      if (!poisoned) {
        mustBePlanned(before, e);
      }
      device.close();
      return false;
    }
    if (poisoned) {
      throw new AssertionError("closes without a word though a host flush has failed");
    }
    guest.model().flushed();
    return true;
  }

  /** A fault that comes once is told at most once. */
  private void mustBePlanned(boolean failedBefore, IOException e) {
    if (!plan.hasFailed() || (failedBefore && !forEver)) {
      throw new AssertionError("fails without a fault of the host", e);
    }
  }

  private static boolean isFlush(Throwable e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof HostFlushException) {
        return true;
      }
    }
    return false;
  }

  /** Another process opens the files; or the power fails and then it does. */
  private void lookAtWhatIsLeft(boolean closed) throws IOException {
    Random random = new Random(seed + failing);
    CrashImage image = disk.cutLosingNothing();
    afterwards.examine(image, guest, random);
    afterwards.examine(disk.cut(random), guest, random);
    List<HostFile> left = KeptFile.of(image.files());
    if (closed) {
      try (BlockDevice device = subject.open(left, false, afterwards.backing())) {
        guest.checkAll(device, guest.model()::checkCurrent);
      }
    }
    afterwards.goOn(left, random);
  }

  private String where() {
    String fault =
        failing == NONE
            ? "no fault"
            : "host operation " + failing + (forEver ? " and all later changes fail" : " fails");
    return "seed " + seed + afterwards + ", " + fault + ", " + place;
  }
}

package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * One history of a guest, with power cuts at host operations drawn by its seed. It is run twice:
 * once to count the host operations, then with cuts spread over all of them.
 */
final class CrashRun {
  private static final int STEPS = 70;

  /** One image of so many is also opened for writing. */
  private static final int CONTINUED = 4;

  private final Subject subject;
  private final long seed;
  private final Afterwards afterwards;

  // Of the pass under way:
  private int instant;
  private int cuts;
  private boolean failed;
  private String place = "";

  CrashRun(Subject subject, long seed, boolean withBacking) {
    this.subject = subject;
    this.seed = seed;
    this.afterwards = new Afterwards(subject, withBacking);
  }

  /** Runs the history with {@code images} cuts; returns the number of instants to cut at. */
  int run(int images) throws IOException {
    int instants = pass(Map.of());
    Random random = new Random(seed ^ 0x5EED);
    Map<Integer, Integer> draws = new HashMap<>();
    for (int i = 0; i < images; i++) {
      // Every instant comes up once before any comes up again.
      int at = i < images / instants * instants ? i % instants : random.nextInt(instants);
      draws.merge(at, 1, Integer::sum);
    }
    pass(draws);
    if (cuts != images) {
      throw new AssertionError(where() + ": the history took another course the second time");
    }
    return instants;
  }

  /** Runs the history once, cutting as often as {@code draws} says at each instant. */
  private int pass(Map<Integer, Integer> draws) throws IOException {
    instant = 0;
    cuts = 0;
    place = "creation";
    CrashDisk disk = new CrashDisk();
    List<CrashFile> made = new ArrayList<>();
    for (int i = 0; i < subject.files(); i++) {
      made.add(disk.file("image" + i));
    }
    List<HostFile> files = KeptFile.of(made);
    subject.create(files, subject.size(), afterwards.backing());
    for (HostFile file : files) {
      file.flush();
    }
    Guest guest = new Guest(new SectorModel(subject.size(), afterwards::untouched));
    disk.setHook(event -> cutAt(disk, guest, event, draws));
    try {
      play(files, guest);
    } catch (CutFailure e) {
      throw e;
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError(where() + ": " + e, e);
    } finally {
      disk.setHook(event -> {});
    }
    return instant;
  }

  private void play(List<HostFile> files, Guest guest) throws IOException {
    place = "opening";
    try (Opened opened = new Opened(files)) {
      long unit = Afterwards.unit(opened.device);
      for (GuestStep step : GuestStep.history(new Random(seed), STEPS, subject.size(), unit)) {
        place = step.toString();
        if (step.kind() == GuestStep.Kind.REOPEN) {
          opened.reopen();
          guest.model().flushed();
          guest.checkTouched(opened.device, guest.model()::checkCurrent);
        } else {
          guest.doStep(step, opened.device);
        }
      }
      place = "the end";
      guest.checkAll(opened.device, guest.model()::checkCurrent);
    }
    guest.model().flushed();
    afterwards.check(files);
  }

  /** The device of a history: another one after each reopening. */
  private final class Opened implements Closeable {
    private final List<HostFile> files;
    private BlockDevice device;

    Opened(List<HostFile> files) throws IOException {
      this.files = files;
      this.device = subject.open(files, true, afterwards.backing());
    }

    void reopen() throws IOException {
      device.close();
      device = subject.open(files, true, afterwards.backing());
    }

    @Override
    public void close() throws IOException {
      device.close();
    }
  }

  private void cutAt(
      CrashDisk disk, Guest guest, CrashDisk.Event event, Map<Integer, Integer> draws)
      throws IOException {
    int now = instant++;
    int count = failed ? 0 : draws.getOrDefault(now, 0);
    for (int i = 0; i < count; i++) {
      Random random = new Random(seed * 31 + now * 1009L + i);
      String kind = "random";
      List<HostFile> image;
      switch (random.nextInt(10)) {
        case 0 -> {
          kind = "losing all";
          image = disk.cutLosingAll().files();
        }
        case 1 -> {
          kind = "losing nothing";
          image = disk.cutLosingNothing().files();
        }
        default -> image = disk.cut(random).files();
      }
      cuts++;
      String where =
          where() + ", " + event + " (instant " + now + ", image " + i + ", " + kind + ")";
      try {
        afterwards.examine(KeptFile.of(image), guest, random);
        if (random.nextInt(CONTINUED) == 0) {
          afterwards.goOn(KeptFile.of(image), random);
        }
      } catch (AssertionError | IOException | RuntimeException e) {
        failed = true;
        throw new CutFailure(where + ": " + e, e);
      }
    }
  }

  private String where() {
    return "seed " + seed + afterwards + ", " + place;
  }

  /** An image that a cut left is wrong; says which. */
  private static final class CutFailure extends AssertionError {
    private static final long serialVersionUID = 1;

    CutFailure(String message, Throwable cause) {
      super(message, cause);
    }
  }
}

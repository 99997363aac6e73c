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
import java.util.Set;

/**
 * One history of a guest, with power cuts at host operations drawn by its seed. It is run twice:
 * once to count the host operations, then with cuts spread over all of them.
 */
final class CrashRun {
  private static final int STEPS = 70;

  private final Subject subject;
  private final long seed;
  private final Afterwards afterwards;
  private final CrashCuts cuts;

  // Of the pass under way:
  private int instant;
  private int planned;
  private String place = "";

  /**
   * A run.
   *
   * @param distinct the hashes of the images that were looked at, here and elsewhere; added to
   */
  CrashRun(Subject subject, long seed, boolean withBacking, Set<Long> distinct) {
    this.subject = subject;
    this.seed = seed;
    this.afterwards = new Afterwards(subject, withBacking);
    this.cuts = new CrashCuts(seed, afterwards, distinct);
  }

  /**
   * Runs the history with power cuts for {@code images} new images, or fewer if the history ends
   * while some are owed; returns the number of instants to cut at.
   */
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
    if (planned != images) {
      throw new AssertionError(where() + ": the history took another course the second time");
    }
    return instants;
  }

  /** How many images were drawn: new ones, and those that were looked at before. */
  int drawn() {
    return cuts.drawn();
  }

  /** Runs the history once, cutting as often as {@code draws} says at each instant. */
  private int pass(Map<Integer, Integer> draws) throws IOException {
    instant = 0;
    planned = 0;
    begin("creation");
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
    Guest guest = new Guest(new SectorModel(subject.size(), afterwards::untouched), subject);
    disk.setHook(event -> cutAt(disk, guest, event, draws));
    try {
      play(files, guest);
    } catch (CrashCuts.CutFailure e) {
      throw e;
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError(where() + ": " + e, e);
    } finally {
      disk.setHook(event -> {});
    }
    return instant;
  }

  private void begin(String newPlace) {
    place = newPlace;
    cuts.stepBegins();
  }

  private void cutAt(
      CrashDisk disk, Guest guest, CrashDisk.Event event, Map<Integer, Integer> draws)
      throws IOException {
    int now = instant++;
    int count = draws.getOrDefault(now, 0);
    planned += count;
    cuts.at(now, count, disk, guest, where() + ", " + event + ", instant " + now);
  }

  private void play(List<HostFile> files, Guest guest) throws IOException {
    begin("opening");
    try (Opened opened = new Opened(files)) {
      for (GuestStep step :
          GuestStep.history(new Random(seed), STEPS, opened.device, subject.alters())) {
        begin(step.toString());
        if (step.kind() == GuestStep.Kind.REOPEN) {
          opened.reopen();
          guest.model().flushed();
          guest.checkTouched(opened.device, guest.model()::checkCurrent);
        } else {
          guest.doStep(step, opened.device);
        }
      }
      begin("the end");
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

  private String where() {
    return "seed " + seed + afterwards + ", " + place;
  }
}

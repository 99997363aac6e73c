package io.vdisk.backend.tap;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/**
 * A guest in a process of its own: several threads ask at random, overlapping, with barriers,
 * flushes and discards between, and each answer is held against what the sectors may hold. Prints
 * the checksum of the whole disk as it read it at the end.
 */
final class RandomGuest {
  private static final int SECTOR = DiskModel.SECTOR;
  private static final int PAGE = 4096;
  private static final int PAGES_OF_SLOT = 16;
  private static final int TABLE = 15;
  private static final int THREADS = 3;

  /** A request that waits for its response. */
  private record Asked(
      int slot,
      boolean isRead,
      long sector,
      List<int[]> segments,
      DiskModel.Change change,
      SectorHistory.Moment moment) {}

  private final SharedFileFrontend frontend;
  private final FrontRing ring;
  private final DiskModel model;

  // Under this object's monitor, as is the ring.
  private final Map<Long, Asked> asked = new HashMap<>();
  private final Deque<Integer> slots = new ArrayDeque<>();
  private long epoch;
  private int left;

  private RandomGuest(SharedFileFrontend frontend, int requests) {
    this.frontend = frontend;
    this.ring = frontend.ring();
    this.model = new DiskModel((int) frontend.sectors());
    for (int i = 0; i < 32; i++) {
      slots.add(i);
    }
    this.left = requests;
  }

  /** Socket, file, layout of the ring, requests, seed. */
  public static void main(String[] args) throws Exception {
    SharedFileLayout layout = new SharedFileLayout(RingAbi.valueOf(args[2]), 1, 32 * PAGES_OF_SLOT);
    try (SharedFileFrontend frontend =
        SharedFileFrontend.connect(Path.of(args[0]), Path.of(args[1]), layout)) {
      RandomGuest guest = new RandomGuest(frontend, Integer.parseInt(args[3]));
      guest.run(Long.parseLong(args[4]));
      System.out.println(Long.toHexString(guest.checksum()));
    }
  }

  private void run(long seed) throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      Random random = new Random(seed + i);
      Thread thread = new Thread(() -> ask(random));
      thread.setDaemon(true); // what this one finds wrong ends the process
      thread.start();
      threads.add(thread);
    }
    takeResponses();
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private void ask(Random random) {
    try {
      while (true) {
        synchronized (this) {
          while (left > 0 && slots.isEmpty()) {
            wait();
          }
          if (left == 0) {
            return;
          }
          left--;
          askOne(random);
          if (ring.publish()) {
            frontend.ringBell();
          }
        }
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void askOne(Random random) {
    int slot = slots.remove();
    int what = random.nextInt(100);
    if (what < 45) {
      askForData(random, slot, 0);
    } else if (what < 80) {
      askForData(random, slot, 1);
    } else if (what < 84) {
      epoch++;
      askForData(random, slot, 2);
      epoch++;
    } else if (what < 87) {
      epoch += 2;
      putAlone(slot, r -> r.operation(2, 0));
    } else if (what < 91) {
      putAlone(slot, r -> r.operation(3, 0));
    } else {
      int count = 1 + random.nextInt(200);
      int sector = random.nextInt(model.sectors() - count);
      SectorHistory.Moment moment = model.ask(0, epoch);
      DiskModel.Change change = model.discard(sector, count, moment);
      put(new Asked(slot, false, sector, List.of(), change, moment), r -> r.discard(sector, count));
    }
  }

  private void putAlone(int slot, Consumer<FrontRequest> request) {
    SectorHistory.Moment moment = model.ask(0, epoch);
    put(new Asked(slot, false, 0, List.of(), DiskModel.Change.NONE, moment), request);
  }

  private void askForData(Random random, int slot, int code) {
    boolean isIndirect = code != 2 && random.nextInt(4) == 0;
    List<int[]> segments = segments(random, slot, isIndirect ? 15 : 11);
    int count = segments.stream().mapToInt(s -> s[2] - s[1] + 1).sum();
    int sector = random.nextInt(model.sectors() - count);
    SectorHistory.Moment moment = model.ask(0, epoch);
    DiskModel.Change change = DiskModel.Change.NONE;
    if (code != 0) {
      long value = model.newValue();
      change = model.write(sector, count, value, moment);
      segments.forEach(segment -> fill(segment, value));
    }
    put(
        new Asked(slot, code == 0, sector, segments, change, moment),
        r -> {
          if (isIndirect) {
            int table = slot * PAGES_OF_SLOT + TABLE;
            for (int i = 0; i < segments.size(); i++) {
              int[] segment = segments.get(i);
              FrontRequest.segment(
                  frontend.data(), table * PAGE + 8 * i, segment[0], segment[1], segment[2]);
            }
            r.indirect(code, sector, segments.size(), table);
          } else {
            r.operation(code, sector);
            segments.forEach(s -> r.segment(s[0], s[1], s[2]));
          }
        });
  }

  /** Pages of the slot, in order or not, whole or in part: {page, first sector, last sector}. */
  private static List<int[]> segments(Random random, int slot, int most) {
    List<Integer> pages = new ArrayList<>();
    for (int i = 0; i < 15; i++) {
      pages.add(slot * PAGES_OF_SLOT + i);
    }
    boolean isWhole = random.nextBoolean();
    if (!isWhole) {
      Collections.shuffle(pages, random);
    }
    List<int[]> segments = new ArrayList<>();
    int count = 1 + random.nextInt(most);
    for (int i = 0; i < count; i++) {
      int first = isWhole ? 0 : random.nextInt(8);
      int last = isWhole ? 7 : first + random.nextInt(8 - first);
      segments.add(new int[] {pages.get(i), first, last});
    }
    return segments;
  }

  private void fill(int[] segment, long value) {
    for (int at = segment[1] * SECTOR; at < (segment[2] + 1) * SECTOR; at += 8) {
      frontend.data().putLong(segment[0] * PAGE + at, value);
    }
  }

  private void put(Asked what, Consumer<FrontRequest> request) {
    request.accept(ring.next());
    asked.put((long) ring.put(), what);
  }

  private void takeResponses() throws IOException {
    while (true) {
      synchronized (this) {
        while (ring.waiting() > 0) {
          answer(ring.take());
        }
        if (left == 0 && asked.isEmpty()) {
          return;
        }
        if (!ring.mayAwaitResponses()) {
          continue;
        }
      }
      if (!frontend.await()) {
        throw new IOException("the server has gone");
      }
    }
  }

  private void answer(FrontRing.Response response) {
    Asked request = asked.remove(response.id());
    if (response.status() != 0) {
      throw new IllegalStateException(response + " to " + request);
    }
    if (request.isRead()) {
      check(request);
    }
    model.answer(request.change());
    slots.add(request.slot());
    notifyAll();
  }

  private void check(Asked read) {
    int sector = (int) read.sector();
    for (int[] segment : read.segments()) {
      for (int i = segment[1]; i <= segment[2]; i++) {
        model.check(sector++, frontend.data(), segment[0] * PAGE + i * SECTOR, read.moment());
      }
    }
  }

  /** Reads the whole disk, when nothing is under way. */
  private long checksum() throws IOException {
    CRC32 sum = new CRC32();
    Guest guest = new Guest(frontend);
    for (int sector = 0; sector < model.sectors(); sector += 8) {
      byte[] page = guest.read(sector, PAGE);
      sum.update(page);
      for (int i = 0; i < 8; i++) {
        model.check(sector + i, frontend.data(), i * SECTOR, model.ask(0, epoch));
      }
    }
    return sum.getValue();
  }
}

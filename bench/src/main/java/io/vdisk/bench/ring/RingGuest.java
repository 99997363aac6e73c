package io.vdisk.bench.ring;

import io.vdisk.backend.tap.FrontRequest;
import io.vdisk.backend.tap.FrontRing;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.SharedFileFrontend;
import io.vdisk.backend.tap.SharedFileLayout;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The guest of a measurement, in a process of its own: runs the cases that standard input orders,
 * and prints the nanoseconds of each. Each page of the disk begins with its offset, which is
 * checked in all that is read.
 */
final class RingGuest {
  private static final int PAGE = 4096;
  private static final int MOST_DIRECT = 11;
  private static final int DATA_PAGES = 32 * 17;

  private final SharedFileFrontend frontend;
  private final FrontRing ring;
  private final ByteBuffer data;
  private final long[] offsets = new long[32];
  private final int[] slotOf = new int[512];
  private final int[] free = new int[32];
  private int freeCount;

  private RingGuest(SharedFileFrontend frontend) {
    this.frontend = frontend;
    this.ring = frontend.ring();
    this.data = frontend.data();
  }

  /** Socket, and the file to make. */
  public static void main(String[] args) throws IOException {
    SharedFileLayout layout = new SharedFileLayout(RingAbi.ofHost(), 1, DATA_PAGES);
    try (SharedFileFrontend frontend =
        SharedFileFrontend.connect(Path.of(args[0]), Path.of(args[1]), layout)) {
      RingGuest guest = new RingGuest(frontend);
      BufferedReader orders =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String order = orders.readLine(); order != null; order = orders.readLine()) {
        System.out.println(guest.run(RingCase.parse(order)));
      }
    }
  }

  private long run(RingCase load) throws IOException {
    freeCount = load.depth();
    for (int i = 0; i < load.depth(); i++) {
      free[i] = i;
    }
    long size = frontend.sectors() * 512;
    long began = System.nanoTime();
    int asked = 0;
    int answered = 0;
    while (answered < load.requests()) {
      boolean isNew = false;
      while (freeCount > 0 && asked < load.requests()) {
        ask(load, load.offset(asked++, size));
        isNew = true;
      }
      if (isNew && ring.publish()) {
        frontend.ringBell();
      }
      answered += await(load);
    }
    return System.nanoTime() - began;
  }

  private int await(RingCase load) throws IOException {
    for (int looks = 0; looks < 2000 && ring.waiting() == 0; looks++) {
      Thread.onSpinWait();
    }
    while (ring.waiting() == 0 && ring.mayAwaitResponses()) {
      if (!frontend.await()) {
        throw new IOException("the server has gone");
      }
    }
    int waiting = ring.waiting();
    for (int i = 0; i < waiting; i++) {
      FrontRing.Response response = ring.take();
      int slot = slotOf[(int) response.id()];
      if (response.status() != 0) {
        throw new IOException("status " + response.status());
      }
      if (!load.isWrite()) {
        check(load, slot);
      }
      free[freeCount++] = slot;
    }
    return waiting;
  }

  private void check(RingCase load, int slot) throws IOException {
    for (int done = 0; done < load.size(); done += PAGE) {
      long found = data.getLong(slot * load.size() + done);
      if (found != offsets[slot] + done) {
        throw new IOException("read " + found + " at " + (offsets[slot] + done));
      }
    }
  }

  private void ask(RingCase load, long offset) {
    int slot = free[--freeCount];
    offsets[slot] = offset;
    int pages = load.size() / PAGE;
    int first = slot * pages;
    if (load.isWrite()) {
      for (int i = 0; i < pages; i++) {
        data.putLong((first + i) * PAGE, offset + (long) i * PAGE);
      }
    }
    FrontRequest request = ring.next();
    int code = load.isWrite() ? 1 : 0;
    if (pages <= MOST_DIRECT) {
      request.operation(code, offset / 512);
      for (int i = 0; i < pages; i++) {
        request.segment(first + i, 0, 7);
      }
    } else {
      int table = 32 * 16 + slot;
      for (int i = 0; i < pages; i++) {
        FrontRequest.segment(data, table * PAGE + 8 * i, first + i, 0, 7);
      }
      request.indirect(code, offset / 512, pages, table);
    }
    slotOf[ring.put()] = slot;
  }
}

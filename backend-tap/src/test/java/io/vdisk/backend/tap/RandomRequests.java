package io.vdisk.backend.tap;

import io.vdisk.backend.tap.AskedRequest.Trouble;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntSupplier;

/**
 * What a random guest asks through one queue: reads, writes, flushes, discards and barriers of any
 * pages, and now and then with one that is not granted. One thread.
 */
final class RandomRequests {
  private static final int NOT_GRANTED = 7; // a reference
  private static final int MOST_SEGMENTS = 11;
  private static final int MOST_INDIRECT_SEGMENTS = 15;

  private final int queue;
  private final DiskModel model;
  private final GrantedData data;
  private final IntSupplier generation;
  private final Random random;
  private long epoch;

  /** Of a queue; {@code generation} is that of the servers. */
  RandomRequests(
      int queue, DiskModel model, GrantedData data, IntSupplier generation, Random random) {
    this.queue = queue;
    this.model = model;
    this.data = data;
    this.generation = generation;
    this.random = random;
  }

  /** True if there are pages for any request. */
  boolean hasRoom() {
    return data.freeCount() > MOST_INDIRECT_SEGMENTS;
  }

  /** Writes the next one. */
  AskedRequest next(FrontRequest request) {
    int what = random.nextInt(100);
    if (what < 40) {
      return askForData(request, AskedRequest.READ);
    } else if (what < 76) {
      return askForData(request, AskedRequest.WRITE);
    } else if (what < 79) {
      epoch++;
      AskedRequest barrier = askForData(request, AskedRequest.BARRIER);
      epoch++;
      return barrier;
    } else if (what < 81) {
      return askForData(request, AskedRequest.FLUSH);
    } else if (what < 83) {
      epoch += 2;
      return askAlone(request, AskedRequest.BARRIER);
    } else if (what < 87) {
      return askAlone(request, AskedRequest.FLUSH);
    } else if (what < 89) {
      return askAlone(request, AskedRequest.UNKNOWN);
    }
    return discard(request);
  }

  private AskedRequest askAlone(FrontRequest request, int code) {
    SectorHistory.Moment moment = model.ask(queue, epoch);
    request.operation(code, 0);
    return AskedRequest.alone(code, DiskModel.Change.NONE, moment, generation.getAsInt());
  }

  private AskedRequest discard(FrontRequest request) {
    int count = 1 + random.nextInt(200);
    int sector = random.nextInt(model.sectors() - count);
    SectorHistory.Moment moment = model.ask(queue, epoch);
    DiskModel.Change change = model.discard(sector, count, moment);
    request.discard(sector, count);
    return AskedRequest.alone(AskedRequest.DISCARD, change, moment, generation.getAsInt());
  }

  private AskedRequest askForData(FrontRequest request, int code) {
    boolean isIndirect = code <= AskedRequest.WRITE && random.nextInt(4) == 0;
    List<GrantedData.Segment> segments =
        segments(isIndirect ? MOST_INDIRECT_SEGMENTS : MOST_SEGMENTS);
    List<Integer> pages = new ArrayList<>();
    segments.forEach(segment -> pages.add(segment.page()));
    if (isIndirect) {
      pages.add(data.take());
    }
    Trouble trouble = trouble();
    int troubled = pages.get(random.nextInt(pages.size()));
    SectorHistory.Moment moment = model.ask(queue, epoch);
    DiskModel.Change change =
        code == AskedRequest.READ
            ? DiskModel.Change.NONE
            : change(segments, trouble == Trouble.NOT_GRANTED, moment);
    AskedRequest asked =
        new AskedRequest(
            code, segments, pages, trouble, troubled, change, moment, generation.getAsInt());
    write(asked, request);
    return asked;
  }

  /** Parts of free pages, one behind the other on the disk. */
  private List<GrantedData.Segment> segments(int most) {
    int count = 1 + random.nextInt(random.nextInt(3) == 0 ? most : 2);
    boolean isWhole = random.nextBoolean();
    int sector = random.nextInt(model.sectors() - count * GrantedData.SECTORS_OF_PAGE);
    List<GrantedData.Segment> segments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int first = isWhole ? 0 : random.nextInt(8);
      int last = isWhole ? 7 : first + random.nextInt(8 - first);
      segments.add(new GrantedData.Segment(sector, data.take(), first, last));
      sector += last - first + 1;
    }
    return segments;
  }

  private Trouble trouble() {
    return switch (random.nextInt(40)) {
      case 0 -> Trouble.NOT_GRANTED;
      case 1 -> Trouble.REVOKED_MEANWHILE;
      default -> Trouble.NONE;
    };
  }

  private DiskModel.Change change(
      List<GrantedData.Segment> segments, boolean canOnlyFail, SectorHistory.Moment moment) {
    long value = model.newValue();
    segments.forEach(segment -> data.fill(segment, value));
    int count = segments.stream().mapToInt(GrantedData.Segment::sectors).sum();
    return canOnlyFail
        ? DiskModel.Change.NONE
        : model.write(segments.get(0).sector(), count, value, moment);
  }

  private void write(AskedRequest asked, FrontRequest request) {
    List<GrantedData.Segment> segments = asked.segments();
    if (!asked.isIndirect()) {
      request.operation(asked.code(), asked.sector());
      segments.forEach(s -> request.segment(reference(asked, s.page()), s.first(), s.last()));
      return;
    }
    int table = asked.pages().get(segments.size());
    for (int i = 0; i < segments.size(); i++) {
      GrantedData.Segment s = segments.get(i);
      int at = table * SimulatedXen.PAGE + 8 * i;
      FrontRequest.segment(data.bytes(), at, reference(asked, s.page()), s.first(), s.last());
    }
    request.indirect(asked.code(), asked.sector(), segments.size(), reference(asked, table));
  }

  private int reference(AskedRequest asked, int page) {
    boolean isMissing = asked.trouble() == Trouble.NOT_GRANTED && page == asked.troubled();
    return isMissing ? NOT_GRANTED : data.reference(page);
  }
}

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Does to a back end, one after the other, what no front end should: {@code HostileFrontend IMAGE
 * ROUNDS}. IMAGE is what each is to be served, as Xen's store says it. ROUNDS is a file that gets a
 * line each time that another disk of the same back end was read and was right: this program goes
 * on only when that has happened once more. It ends with status 0 if the back end withstood all.
 */
final class HostileFrontend {
  private static final int FIRST_DEVICE = 52000;
  private static final int NOWHERE = 0x0fff_fff0;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private interface Deed {
    void perform(Frontend frontend) throws Exception;
  }

  private final String image;
  private final Path rounds;
  private final Map<String, Deed> deeds = new LinkedHashMap<>();

  private HostileFrontend(String image, Path rounds) {
    this.image = image;
    this.rounds = rounds;
    deeds.put("a ring that does not map", this::ringThatDoesNotMap);
    deeds.put("nodes that are missing or make no sense", this::senselessNodes);
    deeds.put("requests that make no sense", this::senselessRequests);
    deeds.put("references that do not map", this::referencesThatDoNotMap);
    deeds.put("indirect requests that make no sense", this::senselessIndirectRequests);
    deeds.put("data beside the granted page", this::neighboursStay);
    deeds.put("grants revoked while they are used", this::revokedGrants);
    deeds.put("requests changed while they are read", this::changedRequests);
    deeds.put("an index beyond the ring", f -> wildIndex(f, 1_000_000));
    deeds.put("an index that goes back", f -> wildIndex(f, -1));
    deeds.put("closed in the middle", this::closedInTheMiddle);
    deeds.put("gone in the middle", this::goneInTheMiddle);
  }

  public static void main(String[] args) throws Exception {
    new HostileFrontend(args[0], Path.of(args[1])).run();
  }

  private void run() throws Exception {
    int device = FIRST_DEVICE;
    for (Map.Entry<String, Deed> each : deeds.entrySet()) {
      Frontend frontend = new Frontend(device++, image);
      try {
        each.getValue().perform(frontend);
      } catch (Exception e) {
        throw new IOException(each.getKey() + ": " + e.getMessage(), e);
      }
      othersAreServed();
      System.out.println(each.getKey() + ": withstood");
    }
    Frontend honest = new Frontend(device, image);
    honest.connect();
    isServed(honest);
    honest.leave();
    System.out.println("an honest one is served afterwards");
  }

  /** Waits for a whole round that began after this call. */
  private void othersAreServed() throws Exception {
    long before = Files.size(rounds);
    Instant end = Instant.now().plus(PATIENCE);
    while (Files.size(rounds) < before + 2) { // an empty line for each
      expect(Instant.now().isBefore(end), "the other disk is not served any longer");
      Thread.sleep(Frontend.PAUSE);
    }
  }

  private static void expect(boolean isSo, String otherwise) throws IOException {
    if (!isSo) {
      throw new IOException(otherwise);
    }
  }

  /** A proper read succeeds. */
  private static void isServed(Frontend frontend) throws Exception {
    GrantedPages page = GrantedPages.allocate(1);
    Frontend.segment(frontend.next(Frontend.READ, 1, 0), 0, page.reference(0), 0, 7);
    frontend.publish();
    int status = frontend.status();
    expect(status == 0, "a proper read has status " + status);
    page.revoke();
  }

  private void ringThatDoesNotMap(Frontend frontend) throws Exception {
    frontend.awaitBack("2");
    frontend.tellOfRing(NOWHERE);
    frontend.awaitBack("5", "6");
    expect(!frontend.error().isEmpty(), "no word why");
    frontend.leave();
  }

  private void senselessNodes(Frontend frontend) throws Exception {
    frontend.awaitBack("2");
    frontend.tell("ring-page-order", "200");
    frontend.tell("event-channel", "-1");
    frontend.tell("protocol", "sparc");
    frontend.tell("multi-queue-num-queues", "99999999999999999999");
    frontend.tell("state", "3");
    frontend.awaitBack("5", "6");
    expect(!frontend.error().isEmpty(), "no word why");
    frontend.leave();
  }

  private void senselessRequests(Frontend frontend) throws Exception {
    frontend.connect();
    GrantedPages page = GrantedPages.allocate(1);
    int reference = page.reference(0);
    ByteBuffer[] wrong = {
      Frontend.segment(frontend.next(200, 1, 0), 0, reference, 0, 7),
      Frontend.segment(frontend.next(Frontend.READ, 255, 0), 0, reference, 0, 7),
      Frontend.segment(frontend.next(Frontend.READ, 1, Long.MAX_VALUE), 0, reference, 0, 7),
      Frontend.segment(frontend.next(Frontend.WRITE, 1, -1), 0, reference, 0, 7),
      Frontend.segment(frontend.next(Frontend.READ, 1, 0), 0, reference, 7, 0),
      Frontend.segment(frontend.next(Frontend.WRITE, 1, 0), 0, reference, 0, 255),
      Frontend.segment(frontend.next(Frontend.READ, 0, 0), 0, reference, 0, 7),
    };
    for (ByteBuffer ignored : wrong) {
      frontend.publish();
    }
    expect(frontend.status() != 0, "a read of no segment succeeded");
    isServed(frontend);
    frontend.leave();
    page.revoke();
  }

  private void referencesThatDoNotMap(Frontend frontend) throws Exception {
    frontend.connect();
    for (int reference : new int[] {NOWHERE, -1, 0}) {
      for (int operation : new int[] {Frontend.READ, Frontend.WRITE}) {
        Frontend.segment(frontend.next(operation, 1, 0), 0, reference, 0, 7);
        frontend.publish();
        expect(frontend.status() != 0, "a copy by reference " + reference + " succeeded");
      }
    }
    isServed(frontend);
    frontend.leave();
  }

  private void senselessIndirectRequests(Frontend frontend) throws Exception {
    frontend.connect();
    GrantedPages page = GrantedPages.allocate(1);
    for (int at = 0; at < GrantedPages.PAGE; at += Integer.BYTES) {
      page.buffer().putInt(at, ThreadLocalRandom.current().nextInt());
    }
    int[] counts = {0xffff, 0, 257, 64, 8};
    for (int count : counts) {
      for (int reference : new int[] {page.reference(0), NOWHERE}) {
        ByteBuffer entry = frontend.next(Frontend.INDIRECT, Frontend.READ, 0);
        entry.putShort(2, (short) count);
        for (int i = 0; i < 8; i++) {
          entry.putInt(28 + i * Integer.BYTES, reference);
        }
        frontend.publish();
        expect(frontend.status() != 0, "an indirect request of garbage succeeded");
      }
    }
    isServed(frontend);
    frontend.leave();
    page.revoke();
  }

  /** Pages that are granted, but not named by the request, stay as they are. */
  private void neighboursStay(Frontend frontend) throws Exception {
    frontend.connect();
    GrantedPages pages = GrantedPages.allocate(3);
    byte mark = 0x5a;
    for (int page = 0; page < pages.count(); page++) {
      pages.fill(page, mark);
    }
    for (int last : new int[] {7, 8, 15, 255}) {
      Frontend.segment(frontend.next(Frontend.READ, 1, 0), 0, pages.reference(1), 7, last);
      frontend.publish();
      int unused = frontend.status();
    }
    expect(pages.isFilled(0, mark) && pages.isFilled(2, mark), "a neighbour was written to");
    isServed(frontend);
    frontend.leave();
    pages.revoke();
  }

  private void revokedGrants(Frontend frontend) throws Exception {
    frontend.connect();
    for (int round = 0; round < 8; round++) {
      GrantedPages pages = GrantedPages.allocate(Frontend.REQUESTS);
      for (int i = 0; i < Frontend.REQUESTS; i++) {
        int operation = i % 2 == 0 ? Frontend.READ : Frontend.WRITE;
        Frontend.segment(frontend.next(operation, 1, 8L * i), 0, pages.reference(i), 0, 7);
      }
      frontend.publish();
      pages.revoke();
      int unused = frontend.status(); // each is answered, well or not
    }
    isServed(frontend);
    frontend.leave();
  }

  private void changedRequests(Frontend frontend) throws Exception {
    frontend.connect();
    GrantedPages page = GrantedPages.allocate(1);
    Thread changer = new Thread(() -> change(frontend), "changer");
    changer.start();
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < Frontend.REQUESTS; i++) {
        Frontend.segment(frontend.next(Frontend.READ, 1, 8L * i), 0, page.reference(0), 0, 7);
      }
      frontend.publish();
      int unused = frontend.status();
    }
    changer.interrupt();
    changer.join();
    isServed(frontend);
    frontend.leave();
    page.revoke();
  }

  /** Writes over the entries' operation, counts, sectors and references; not over the indices. */
  private static void change(Frontend frontend) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    ByteBuffer ring = frontend.ring.buffer();
    while (!Thread.currentThread().isInterrupted()) {
      int at = 64 + random.nextInt(ring.capacity() - 64);
      ring.put(at, (byte) random.nextInt());
    }
  }

  private void wildIndex(Frontend frontend, int index) throws Exception {
    frontend.connect();
    isServed(frontend);
    frontend.publish(index);
    frontend.leave();
  }

  private void closedInTheMiddle(Frontend frontend) throws Exception {
    frontend.connect();
    GrantedPages page = putAll(frontend);
    frontend.leave();
    page.revoke();
  }

  private void goneInTheMiddle(Frontend frontend) throws Exception {
    frontend.connect();
    GrantedPages page = putAll(frontend);
    frontend.remove();
    page.revoke();
    frontend.ring.revoke();
  }

  private static GrantedPages putAll(Frontend frontend) throws IOException {
    GrantedPages page = GrantedPages.allocate(1);
    for (int i = 0; i < Frontend.REQUESTS; i++) {
      Frontend.segment(frontend.next(Frontend.WRITE, 1, 8L * i), 0, page.reference(0), 0, 7);
    }
    frontend.publish();
    return page;
  }
}

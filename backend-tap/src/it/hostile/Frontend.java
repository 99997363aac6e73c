import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;

/**
 * A block front end that can do all that one must not do. It is no kernel's: its nodes lie beside
 * {@code device}, so that Linux' own does not see them. Layout of the ring and its entries: {@code
 * xen/include/public/io/blkif.h}, for 64 bits.
 */
final class Frontend {
  static final int READ = 0;
  static final int WRITE = 1;
  static final int INDIRECT = 6;

  static final int REQUESTS = 32;
  private static final int HEADER = 64;
  private static final int ENTRY = 112;
  private static final int RESPONSES = 8;

  /** The machine has one processor, which whoever waits leaves to the others. */
  static final Duration PAUSE = Duration.ofMillis(5);

  /** To look into the store starts a program. */
  private static final Duration PAUSE_OF_STORE = Duration.ofMillis(200);

  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final String device;
  private final String back;
  final String front;
  final GrantedPages ring = GrantedPages.allocate(1);
  final EventChannel channel = EventChannel.open();
  private int put;

  /** Makes both halves of a device, as a toolstack does. */
  Frontend(int device, String image) throws IOException {
    this.device = Integer.toString(device);
    this.back = "/local/domain/0/backend/qdisk/0/" + device;
    this.front = "/local/domain/0/hostile/" + device;
    ring.buffer().putInt(4, 1).putInt(12, 1); // both ask for an event
    Store.write(
        (front + "/backend " + back + " " + front + "/backend-id 0 ")
            + (front + "/virtual-device " + device + " " + front + "/device-type disk ")
            + (front + "/state 1 ")
            + (back + "/frontend " + front + " " + back + "/frontend-id 0 ")
            + (back + "/params " + image + " " + back + "/mode w " + back + "/type qdisk ")
            + (back + "/device-type disk " + back + "/online 1 " + back + "/removable 0 ")
            + (back + "/state 1"));
  }

  /** Says where the ring is, and waits until the back end serves it. */
  void connect() throws IOException, InterruptedException {
    awaitBack("2");
    tellOfRing(ring.reference(0));
    awaitBack("4");
    tell("state", "4");
  }

  /** Says where the ring is, or is not. */
  void tellOfRing(int reference) throws IOException {
    Store.write(
        (front + "/ring-ref " + reference + " " + front + "/event-channel " + channel.port() + " ")
            + (front + "/protocol x86_64-abi " + front + "/state 3"));
  }

  void tell(String node, String value) throws IOException {
    Store.write(front + "/" + node + " " + value);
  }

  String backState() throws IOException {
    return Store.read(back + "/state");
  }

  String error() throws IOException {
    return Store.read(back + "/hotplug-error");
  }

  /** Waits until the back end has one of these states. */
  void awaitBack(String... states) throws IOException, InterruptedException {
    Instant end = Instant.now().plus(PATIENCE);
    String seen;
    do {
      seen = backState();
      for (String state : states) {
        if (seen.equals(state)) {
          return;
        }
      }
      Thread.sleep(PAUSE_OF_STORE);
    } while (Instant.now().isBefore(end));
    throw new IOException(
        device + ": the back end is in state " + seen + ", not " + String.join(" or ", states));
  }

  /** Where the next request is to be written; its id is its number. */
  ByteBuffer next(int operation, int segments, long sector) {
    int at = HEADER + (put % REQUESTS) * ENTRY;
    ByteBuffer entry = ring.buffer().slice(at, ENTRY).order(ring.buffer().order());
    for (int i = 0; i < ENTRY; i++) {
      entry.put(i, (byte) 0);
    }
    entry.put(0, (byte) operation).put(1, (byte) segments);
    entry.putLong(8, put).putLong(16, sector);
    put++;
    return entry;
  }

  /** A segment of the request. */
  static ByteBuffer segment(ByteBuffer entry, int number, int reference, int first, int last) {
    int at = 24 + number * 8;
    return entry.putInt(at, reference).put(at + 4, (byte) first).put(at + 5, (byte) last);
  }

  void publish() throws IOException {
    publish(put);
  }

  /** Claims that requests up to this one are there. */
  void publish(int index) throws IOException {
    ring.buffer().putInt(0, index);
    channel.ring();
  }

  int responses() {
    return ring.buffer().getInt(RESPONSES);
  }

  /** Status of the response to the last request, when all are there. */
  int status() throws IOException, InterruptedException {
    Instant end = Instant.now().plus(PATIENCE);
    while (responses() != put) {
      if (Instant.now().isAfter(end)) {
        throw new IOException(device + ": " + responses() + " responses to " + put + " requests");
      }
      Thread.sleep(PAUSE);
    }
    return ring.buffer().getShort(HEADER + ((put - 1) % REQUESTS) * ENTRY + 10);
  }

  /** Leaves as a front end does, and takes both halves away. */
  void leave() throws IOException, InterruptedException {
    tell("state", "5");
    tell("state", "6");
    awaitBack("6", "");
    remove();
  }

  /** Takes the nodes away, whatever is going on. */
  void remove() throws IOException {
    Store.remove(front);
    Store.remove(back);
    channel.close();
  }
}

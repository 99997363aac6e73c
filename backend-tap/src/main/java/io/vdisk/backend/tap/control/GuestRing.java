package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The ring of a guest of Xen (struct tapdisk_message_blkif).
 *
 * @param domain the guest
 * @param device its disk
 * @param grants references of the ring's pages: 1, 2, 4 or 8
 * @param protocol 1 native, 2 x86_32, 3 x86_64
 * @param pool the name of a pool of pages, or empty
 * @param port the event channel
 * @param pollMicroseconds how long to poll the ring after a request; 0 never
 * @param pollIdlePercent how idle the CPU must be for that
 */
public record GuestRing(
    int domain,
    int device,
    List<Integer> grants,
    int protocol,
    String pool,
    int port,
    int pollMicroseconds,
    int pollIdlePercent)
    implements MessageBody {
  /** A ring has at most eight pages: order 3. */
  private static final int MAX_ORDER = 3;

  static final Struct STRUCT = Struct.littleEndian("tapdisk_message_blkif");
  private static final Struct.U32 DOMID;
  private static final Struct.U32 DEVID;
  private static final List<Struct.U32> GREF = new ArrayList<>();
  private static final Struct.U32 ORDER;
  private static final Struct.U32 PROTO;
  private static final Struct.Bytes POOL;
  private static final Struct.U32 PORT;
  private static final Struct.U32 POLL_DURATION;
  private static final Struct.U32 POLL_IDLE_THRESHOLD;

  static {
    STRUCT.bytes("header", 8);
    DOMID = STRUCT.u32("domid");
    DEVID = STRUCT.u32("devid");
    for (int i = 0; i < 1 << MAX_ORDER; i++) {
      GREF.add(STRUCT.u32("gref[" + i + "]"));
    }
    ORDER = STRUCT.u32("order");
    PROTO = STRUCT.u32("proto");
    POOL = STRUCT.bytes("pool", 256);
    PORT = STRUCT.u32("port");
    POLL_DURATION = STRUCT.u32("poll_duration");
    POLL_IDLE_THRESHOLD = STRUCT.u32("poll_idle_threshold");
    STRUCT.end(324);
  }

  /** A ring whose list of grants cannot be changed. */
  public GuestRing {
    grants = List.copyOf(grants);
    if (Integer.bitCount(grants.size()) != 1 || grants.size() > 1 << MAX_ORDER) {
      throw new IllegalArgumentException("a ring of " + grants.size() + " pages");
    }
  }

  /** Reads a ring to connect, or, where only the guest and the device count, to disconnect. */
  static GuestRing read(ByteBuffer message) throws DiskException {
    long order = ORDER.get(message, 0);
    if (order > MAX_ORDER) {
      throw new DiskException(
          Errno.EINVAL, "a ring of order " + order + ", and " + MAX_ORDER + " is the most");
    }
    List<Integer> grants = new ArrayList<>();
    for (Struct.U32 field : GREF.subList(0, 1 << order)) {
      grants.add((int) field.get(message, 0));
    }
    return new GuestRing(
        (int) DOMID.get(message, 0),
        (int) DEVID.get(message, 0),
        grants,
        (int) PROTO.get(message, 0),
        WireText.get(POOL, message),
        (int) PORT.get(message, 0),
        (int) POLL_DURATION.get(message, 0),
        (int) POLL_IDLE_THRESHOLD.get(message, 0));
  }

  void write(ByteBuffer message) throws DiskException {
    DOMID.put(message, 0, Integer.toUnsignedLong(domain));
    DEVID.put(message, 0, Integer.toUnsignedLong(device));
    for (int i = 0; i < grants.size(); i++) {
      GREF.get(i).put(message, 0, Integer.toUnsignedLong(grants.get(i)));
    }
    ORDER.put(message, 0, Integer.numberOfTrailingZeros(grants.size()));
    PROTO.put(message, 0, Integer.toUnsignedLong(protocol));
    WireText.put(POOL, message, pool);
    PORT.put(message, 0, Integer.toUnsignedLong(port));
    POLL_DURATION.put(message, 0, Integer.toUnsignedLong(pollMicroseconds));
    POLL_IDLE_THRESHOLD.put(message, 0, Integer.toUnsignedLong(pollIdlePercent));
  }
}

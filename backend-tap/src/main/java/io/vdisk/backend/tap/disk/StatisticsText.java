package io.vdisk.backend.tap.disk;

import io.vdisk.backend.tap.RequestStatistics;
import io.vdisk.backend.tap.RequestStatistics.Summary;
import io.vdisk.backend.tap.RingCounters;
import java.util.List;
import java.util.Optional;

/**
 * The counters of a disk as tapdisk writes them, one line of JSON that xapi reads (tapdisk-stats.c,
 * tapdisk_vbd_stats), and behind them, as {@code "latency"}, what only we have.
 *
 * @param name what the disk was opened as; empty: it is not open
 * @param open its images; empty: it is paused or not open
 * @param rings of its guests; each of Xen has an object "xenbus", as one has in tapdisk, where two
 *     do not go into the form
 * @param outstanding requests under way
 * @param isBuffered whether the host's page cache was asked for
 * @param hasMirrorFailed whether a mirror failed
 */
record StatisticsText(
    Optional<String> name,
    Optional<OpenDisk> open,
    List<ServedRing> rings,
    RequestStatistics.Snapshot counted,
    long outstanding,
    boolean isBuffered,
    boolean hasMirrorFailed) {
  /** Requests of tapdisk's aio driver at a time, 32 of 11 segments each (block-aio.h). */
  private static final int AIO_REQUESTS = 352;

  /** The only one that there ever is, whatever name the message has (td-ctx.c). */
  private static final String POOL = "td-xenio-default";

  @Override
  public String toString() {
    long redirected = open.map(OpenDisk::redirectedSectors).orElse(0L);
    return String.join(
        ", ",
        "{ \"name\": " + quoted(name.orElse("(null)")),
        "\"secs\": " + pair(counted.reads().sectors(), counted.writes().sectors()),
        "\"images\": [ " + images() + " ]" + xenbus(),
        "\"FIXME_enospc_redirect_count\": " + redirected,
        "\"nbd_mirror_failed\": " + (hasMirrorFailed ? 1 : 0),
        "\"reqs_outstanding\": " + outstanding,
        "\"read_caching\": " + quoted(Boolean.toString(isBuffered)),
        "\"latency\": " + latency() + " }");
  }

  private String xenbus() {
    StringBuilder text = new StringBuilder();
    for (ServedRing ring : rings) {
      Optional<XenGuest> guest = ring.guest();
      if (guest.isPresent()) {
        text.append(", \"xenbus\": ").append(xenbus(guest.get(), ring));
      }
    }
    return text.toString();
  }

  /** Of tapdisk_xenblkif_stats (td-stats.c). */
  private static String xenbus(XenGuest guest, ServedRing ring) {
    RingCounters.Snapshot counted = ring.counters();
    return String.join(
        ", ",
        "{ \"pool\": " + quoted(POOL),
        "\"domid\": " + guest.domain(),
        "\"devid\": " + guest.device(),
        "\"reqs\": " + pair(counted.taken(), counted.answered()),
        "\"kicks\": " + pair(counted.woken(), counted.rung()),
        "\"errors\": { \"msg\": " + counted.senseless(),
        "\"map\": " + counted.unreachable(),
        "\"vbd\": 0",
        "\"img\": " + counted.failed() + " } }");
  }

  private String images() {
    List<DiskDescriptor> names = open.map(OpenDisk::names).orElse(List.of());
    StringBuilder text = new StringBuilder();
    boolean isLeaf = true;
    for (DiskDescriptor image : names) {
      text.append(text.isEmpty() ? "" : ", ");
      boolean isCounted = isLeaf && image.type() != DiskType.LOG;
      text.append(image(image, isCounted));
      isLeaf &= !isCounted;
    }
    return text.toString();
  }

  /** What was read from images below, since they were opened, is no hit of the guest's image. */
  private String image(DiskDescriptor image, boolean isCounted) {
    Summary reads = counted.reads();
    Summary writes = counted.writes();
    String hits =
        isCounted ? pair(reads.sectors() - readBelow(), writes.sectors()) : pair(read(image), 0);
    String fail = isCounted ? pair(reads.failedSectors(), writes.failedSectors()) : pair(0, 0);
    return String.join(
        ", ",
        "{ \"name\": " + quoted(image.path()),
        "\"hits\": " + hits,
        "\"fail\": " + fail,
        "\"driver\": { \"type\": " + image.type().number(),
        "\"name\": " + quoted(image.type().label()),
        "\"status\": " + status(image, isCounted) + " } }");
  }

  private long readBelow() {
    return open.isPresent() ? open.get().sectorsBelow() : 0;
  }

  private long read(DiskDescriptor below) {
    return open.isPresent() ? open.get().sectorsOf(below) : 0;
  }

  private String status(DiskDescriptor image, boolean isCounted) {
    if (image.type() != DiskType.AIO) {
      return "null";
    }
    long pending = isCounted ? outstanding : 0;
    return "{ \"reqs\": { \"max\": " + AIO_REQUESTS + ", \"pending\": " + pending + " } }";
  }

  private String latency() {
    return String.join(
        ", ",
        "{ \"read\": " + latency(counted.reads()),
        "\"write\": " + latency(counted.writes()),
        "\"flush\": " + latency(counted.flushes()),
        "\"discard\": " + latency(counted.discards()) + " }");
  }

  /** Nanoseconds. */
  private static String latency(Summary summary) {
    return String.format(
        "{ \"count\": %d, \"failed\": %d, \"total_ns\": %d, \"p50_ns\": %d, \"p99_ns\": %d,"
            + " \"p99.9_ns\": %d, \"max_ns\": %d }",
        summary.count(),
        summary.failures(),
        summary.nanoseconds(),
        summary.median(),
        summary.percentile99(),
        summary.percentile999(),
        summary.longest());
  }

  private static String pair(long first, long second) {
    return "[ " + first + ", " + second + " ]";
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ') {
        quoted.append(String.format("\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}

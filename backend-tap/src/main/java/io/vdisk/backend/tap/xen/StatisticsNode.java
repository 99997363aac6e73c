package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.RequestStatistics;
import java.util.Map;
import java.util.Optional;

/**
 * The node {@code statistics} of a back end: the words of xen-blkback's files of that name, each
 * with {@code =} and a number. One thread at a time.
 */
final class StatisticsNode {
  static final String NAME = "statistics";

  private String last = "";

  /** What is to be written; empty if it is what was written last. */
  Optional<Map<String, String>> changed(Optional<RequestStatistics.Snapshot> requests) {
    String text = requests.map(StatisticsNode::text).orElse(last);
    if (text.equals(last)) {
      return Optional.empty();
    }
    last = text;
    return Optional.of(Map.of(NAME, text));
  }

  private static String text(RequestStatistics.Snapshot requests) {
    long failures =
        requests.reads().failures()
            + requests.writes().failures()
            + requests.flushes().failures()
            + requests.discards().failures();
    return String.format(
        "rd_req=%d rd_sect=%d wr_req=%d wr_sect=%d f_req=%d ds_req=%d ds_sect=%d errors=%d",
        requests.reads().count(),
        requests.reads().sectors(),
        requests.writes().count(),
        requests.writes().sectors(),
        requests.flushes().count(),
        requests.discards().count(),
        requests.discards().sectors(),
        failures);
  }
}

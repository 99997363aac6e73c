package io.vdisk.tools;

import io.vdisk.feature.Snapshots;
import java.io.PrintStream;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A list of snapshots as qemu-img prints it. */
final class SnapshotTable {
  private static final long NANOS = 1_000_000_000;

  private SnapshotTable() {}

  /** Prints a title, the columns' names, and a line for each; nothing if there are none. */
  static void print(List<Snapshots.Snapshot> snapshots, PrintStream out) {
    if (snapshots.isEmpty()) {
      return;
    }
    out.println("Snapshot list:");
    out.println(line("ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT"));
    for (Snapshots.Snapshot snapshot : snapshots) {
      out.println(
          line(
              snapshot.id(),
              snapshot.name(),
              ByteSize.describe(snapshot.vmStateBytes()),
              date(snapshot.timestampSeconds()),
              clock(snapshot.vmClockNanos()),
              "0"));
    }
  }

  private static String line(
      String id, String tag, String size, String date, String clock, String count) {
    StringBuilder line = new StringBuilder();
    line.append(id).append(" ".repeat(Math.max(0, 9 - id.length()))).append(' ');
    line.append(tag).append(" ".repeat(Math.max(0, 16 - tag.length()))).append(' ');
    right(line, size, 8);
    right(line, date, 20);
    right(line, clock, 13);
    right(line, count, 11);
    return line.toString();
  }

  private static void right(StringBuilder line, String text, int width) {
    line.append(" ".repeat(Math.max(0, width - text.length()))).append(text);
  }

  /** In the time zone of the user. */
  private static String date(long seconds) {
    ZonedDateTime time = Instant.ofEpochSecond(seconds).atZone(ZoneId.systemDefault());
    return padded(time.getYear(), 4)
        + "-"
        + padded(time.getMonthValue(), 2)
        + "-"
        + padded(time.getDayOfMonth(), 2)
        + " "
        + padded(time.getHour(), 2)
        + ":"
        + padded(time.getMinute(), 2)
        + ":"
        + padded(time.getSecond(), 2);
  }

  private static String clock(long nanos) {
    long seconds = Long.divideUnsigned(nanos, NANOS);
    return padded(seconds / 3600, 2)
        + ":"
        + padded(seconds / 60 % 60, 2)
        + ":"
        + padded(seconds % 60, 2)
        + "."
        + padded(Long.remainderUnsigned(nanos, NANOS) / 1_000_000, 3);
  }

  private static String padded(long number, int digits) {
    String text = Long.toString(number);
    return "0".repeat(Math.max(0, digits - text.length())) + text;
  }

  /** The same for programs. */
  static List<Map<String, Object>> fields(List<Snapshots.Snapshot> snapshots) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (Snapshots.Snapshot snapshot : snapshots) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("icount", 0);
      fields.put("vm-clock-nsec", Long.remainderUnsigned(snapshot.vmClockNanos(), NANOS));
      fields.put("name", snapshot.name());
      fields.put("date-sec", snapshot.timestampSeconds());
      fields.put("date-nsec", 0);
      fields.put("vm-clock-sec", Long.divideUnsigned(snapshot.vmClockNanos(), NANOS));
      fields.put("id", snapshot.id());
      fields.put("vm-state-size", snapshot.vmStateBytes());
      list.add(fields);
    }
    return list;
  }
}

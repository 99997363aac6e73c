package io.vdisk.tools;

import io.vdisk.backend.tap.control.ControlClient;
import io.vdisk.backend.tap.control.ControlFolder;
import io.vdisk.backend.tap.control.DiskLine;
import io.vdisk.backend.tap.control.Generation;
import io.vdisk.backend.tap.disk.DiskException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/** What {@code tap-ctl list} finds: disks, processes without one, minors without a process. */
final class TapList {
  /** One line: each part may be missing. */
  record Line(
      OptionalInt pid,
      OptionalInt minor,
      OptionalInt state,
      Optional<String> type,
      Optional<String> path) {
    /** For a terminal, in columns. */
    String row(Generation generation) {
      boolean isOld = generation != Generation.TODAY;
      return String.format(
          isOld ? "%8s %2s %4s %10s %s" : "%8s %4s %4s %10s %s",
          text(pid),
          text(minor),
          state.isEmpty() ? "-" : isOld ? Integer.toHexString(state.getAsInt()) : hex(),
          type.orElse("-"),
          path.orElse("-"));
    }

    private static String text(OptionalInt number) {
      return number.isEmpty() ? "-" : Integer.toString(number.getAsInt());
    }

    /** As C prints "%#x": zero without the prefix. */
    private String hex() {
      int bits = state.getAsInt();
      return bits == 0 ? "0" : "0x" + Integer.toHexString(bits);
    }

    /** For a program, in pairs. */
    String pairs(Generation generation) {
      List<String> pairs = new ArrayList<>();
      pid.ifPresent(number -> pairs.add("pid=" + number));
      minor.ifPresent(number -> pairs.add("minor=" + number));
      state.ifPresent(
          bits -> pairs.add("state=" + (generation == Generation.TODAY ? hex() : "" + bits)));
      if (type.isPresent() && path.isPresent()) {
        pairs.add("args=" + type.get() + ":" + path.get());
      }
      return String.join(" ", pairs);
    }
  }

  private TapList() {}

  /** The lines of one process; none if it does not answer. */
  static List<Line> of(ControlClient client, int pid) {
    int answering;
    try {
      answering = client.pid(pid);
    } catch (DiskException e) {
      return List.of();
    }
    List<Line> lines = new ArrayList<>();
    try {
      for (DiskLine disk : client.list(answering)) {
        lines.add(line(answering, disk));
      }
    } catch (DiskException e) {
      // It ends just now, or serves too many: a process without disks, as far as we know.
      lines.clear();
    }
    if (lines.isEmpty()) {
      lines.add(
          new Line(
              OptionalInt.of(answering),
              OptionalInt.empty(),
              OptionalInt.empty(),
              Optional.empty(),
              Optional.empty()));
    }
    return lines;
  }

  private static Line line(int pid, DiskLine disk) {
    int colon = disk.name().indexOf(':');
    return new Line(
        OptionalInt.of(pid),
        OptionalInt.of(disk.minor()),
        OptionalInt.of(disk.state()),
        colon < 0 ? Optional.empty() : Optional.of(disk.name().substring(0, colon)),
        colon < 0 ? Optional.empty() : Optional.of(disk.name().substring(colon + 1)));
  }

  /** All lines of a folder: the processes, then the minors that none of them has. */
  static List<Line> of(ControlClient client, ControlFolder folder) throws IOException {
    List<Line> lines = new ArrayList<>();
    TreeSet<Integer> free = new TreeSet<>(folder.allocated());
    for (int pid : folder.processes()) {
      lines.addAll(of(client, pid));
    }
    lines.forEach(line -> line.minor().ifPresent(free::remove));
    for (int minor : free) {
      lines.add(
          new Line(
              OptionalInt.empty(),
              OptionalInt.of(minor),
              OptionalInt.empty(),
              Optional.empty(),
              Optional.empty()));
    }
    return lines;
  }
}

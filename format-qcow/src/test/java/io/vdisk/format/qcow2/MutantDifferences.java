package io.vdisk.format.qcow2;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Where we and QEMU do not agree on a mutated image, by class, and why that stays so. */
final class MutantDifferences {
  /**
   * A class of differences that stays.
   *
   * @param pattern of the line that describes the difference
   */
  private record Reason(Pattern pattern, String why) {
    static Reason of(String pattern, String why) {
      return new Reason(Pattern.compile(pattern), why);
    }
  }

  private static final List<Reason> REASONS =
      List.of(
          Reason.of("QEMU DIED", "QEMU ends by a signal, or not within 20 seconds"),
          Reason.of("QEMU FAILED, ours REFUSED", "both refuse, QEMU later"),
          Reason.of("QEMU REFUSED, ours FAILED", "both refuse, we later"),
          Reason.of(
              "ours (REFUSED|FAILED): .* past the end",
              "QEMU takes what is past the end for zeroes; it is a file cut short, whose data would"
                  + " be lost without a word"),
          Reason.of(
              "ours REFUSED: .*(encryption header of N bytes|no qcowN header)",
              "the same: key material or fields are past the end"),
          Reason.of(
              "ours REFUSED: F: (lN_table|refcount_table|snapshots)_offset at offset N is N",
              "the header itself as a table, which a 0 says"),
          Reason.of(
              "ours REFUSED: .*(there is no format|is no file name here)",
              "QEMU ends a name at its first byte of 0"),
          Reason.of(
              "ours FAILED: .* with subclusters", "bits of a compressed cluster that must be 0"),
          Reason.of(
              "write: QEMU DONE, ours FAILED: F: the LN entry .*(reads as zero|cluster aligned|must be the same)",
              "QEMU does not look at an entry that it replaces as a whole"),
          Reason.of(
              "write: QEMU DONE, ours FAILED: F: the LN table at offset N is other metadata, too",
              "a table that two entries name: what is written in one place would show in another"),
          Reason.of(
              "write: QEMU DONE, ours FAILED: F: the refcounts call space free that is in use",
              "QEMU writes over keys, and looks for space at other places first"),
          Reason.of(
              "write: QEMU DONE, ours REFUSED: F: snapshot .*has an LN table of N (bytes|entries)",
              "what a snapshot names must be known before anything is written"),
          Reason.of(
              "QEMU FAILED, ours DONE: .*(offset N unaligned|host cluster offset)",
              "what is not used is not looked at: zeroes have no need of the place kept for them"),
          Reason.of(
              "QEMU REFUSED, ours DONE: .*Could not read bitmap",
              "the disk is read without its bitmaps, and one of no bytes needs none"),
          Reason.of(
              "QEMU REFUSED, ours DONE: .*bitmaps_ext",
              "without its feature bit the extension is to be ignored"),
          Reason.of(
              "QEMU REFUSED, ours DONE: .*ext_backing_format",
              "a format for a backing file that is not there"),
          Reason.of("encrypt.key-secret", "this test tells us alone the passphrase"),
          Reason.of(
              "QEMU FAILED, ours DONE: .*Preventing invalid write on metadata",
              "an entry that names metadata and lacks COPIED is replaced, and the metadata keeps its"
                  + " count; a bitmaps bit without the extension is cleared as any other"),
          Reason.of(
              "write: QEMU FAILED, ours DONE: (qcowN_free_clusters|write) failed",
              "what nobody counts cannot be given back, and need not: a check tells"));

  private final Map<String, List<String>> found = new TreeMap<>();

  void add(String what, String where, Verdict theirs, Verdict ours) {
    if (theirs.outcome() != ours.outcome()) {
      String line =
          what
              + ": QEMU "
              + theirs.outcome()
              + ", ours "
              + ours.outcome()
              + ": "
              + general(ours.isDone() ? theirs.said() : ours.said());
      found.computeIfAbsent(line, key -> new ArrayList<>()).add(where);
    }
  }

  void addContent(String where, MutatedImage mutant) {
    String line = "content: " + mutant.part();
    found.computeIfAbsent(line, key -> new ArrayList<>()).add(where);
  }

  /** A message without names and numbers. */
  private static String general(String said) {
    String line =
        said.lines()
            .filter(s -> !s.startsWith("wrote") && !s.contains("ops;"))
            .findFirst()
            .orElse("");
    return line.replaceAll("/tmp/[^ :]*", "F")
        .replaceAll("driver=qcow2[^ :]*", "F")
        .replaceAll("0x[0-9a-f]+|-?[0-9]+", "N");
  }

  private static String why(String line) {
    for (Reason reason : REASONS) {
      if (reason.pattern.matcher(line).find()) {
        return reason.why;
      }
    }
    return "";
  }

  /** One line for each class. */
  String table() {
    StringBuilder table = new StringBuilder();
    found.forEach(
        (line, where) ->
            table.append(String.format("  %5d %s [%s]%n", where.size(), line, why(line))));
    return table.toString();
  }

  /** The classes that nobody has explained, with examples. */
  String unexplained() {
    StringBuilder text = new StringBuilder();
    found.forEach(
        (line, where) -> {
          if (why(line).isEmpty()) {
            text.append(String.format("%d %s%n", where.size(), line));
            where.stream().limit(3).forEach(one -> text.append("    ").append(one).append('\n'));
          }
        });
    return text.toString();
  }
}

package io.vdisk.format.vmdk;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * New texts of a descriptor that are as long as the old one, so that nothing behind the change
 * moves. Lines that say nothing give way: blank ones, and comments other than those that libvmdk
 * finds its way by.
 *
 * @param above lines that stay, before the change
 * @param old the characters that are replaced
 * @param middle what replaces them
 * @param below lines that stay, behind the change
 */
record DescriptorRoom(List<String> above, String old, String middle, List<String> below) {
  /** Comments that begin a section. */
  private static final List<String> SECTIONS =
      List.of(Descriptor.FIRST_LINE, "# Extent description", "# The Disk Data Base");

  /** What entries of the disk's data base begin with: they may stand anywhere in it. */
  private static final String DATA_BASE = "ddb.";

  static DescriptorRoom of(List<String> before, List<String> after) {
    int most = Math.min(before.size(), after.size());
    int head = 0;
    while (head < most && before.get(head).equals(after.get(head))) {
      head++;
    }
    int tail = 0;
    while (tail < most - head
        && before.get(before.size() - 1 - tail).equals(after.get(after.size() - 1 - tail))) {
      tail++;
    }
    return new DescriptorRoom(
        before.subList(0, head),
        String.join("", before.subList(head, before.size() - tail)),
        String.join("", after.subList(head, after.size() - tail)),
        before.subList(before.size() - tail, before.size()));
  }

  private int missing() {
    return middle.length() - old.length();
  }

  private static String text(List<String> lines) {
    return String.join("", lines);
  }

  private static boolean isSpare(String line) {
    String text = line.strip();
    return text.isEmpty()
        || (text.startsWith("#") && SECTIONS.stream().noneMatch(text::equalsIgnoreCase));
  }

  /** The new texts; none if there is no room. */
  List<String> texts() {
    if (missing() <= 0) {
      String blanks = "\n".repeat(-missing());
      return List.of(
          text(above) + ExtentLine.widened(middle, -missing()) + text(below),
          text(above) + middle + blanks + text(below));
    }
    List<String> texts = new ArrayList<>();
    squeezed(below, 0, 1).ifPresent(lines -> texts.add(text(above) + middle + lines));
    squeezed(above, above.size() - 1, -1)
        .ifPresent(lines -> texts.add(lines + middle + text(below)));
    return texts;
  }

  /** The lines without as many spare characters as are missing; empty if they have fewer. */
  private Optional<String> squeezed(List<String> lines, int start, int step) {
    List<String> kept = new ArrayList<>(lines);
    int left = missing();
    for (int i = start; left > 0 && i >= 0 && i < lines.size(); i += step) {
      if (isSpare(lines.get(i))) {
        left -= lines.get(i).length();
        kept.set(i, "\n".repeat(Math.max(0, -left)));
      }
    }
    return left > 0 ? Optional.empty() : Optional.of(text(kept));
  }

  /**
   * A text with copies of entries at its end, then one of the same length without the entries where
   * they were; empty if they are too few.
   */
  Optional<List<String>> displacing() {
    List<String> kept = new ArrayList<>(below);
    StringBuilder copies = new StringBuilder();
    int left = missing();
    for (int i = 0; left > 0 && i < below.size(); i++) {
      String line = below.get(i);
      boolean isEntry =
          DescriptorText.key(line).toLowerCase(Locale.ROOT).startsWith(DATA_BASE)
              && line.endsWith("\n");
      if (isEntry || isSpare(line)) {
        copies.append(isEntry ? line : "");
        left -= line.length();
        kept.set(i, "\n".repeat(Math.max(0, -left)));
      }
    }
    boolean isWhole = below.isEmpty() || below.get(below.size() - 1).endsWith("\n");
    return left > 0 || !isWhole
        ? Optional.empty()
        : Optional.of(
            List.of(
                text(above) + old + text(below) + copies,
                text(above) + middle + text(kept) + copies));
  }
}

package io.vdisk.format.vmdk;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The lines of a descriptor, byte by byte, with their ends: what a change does not concern, known
 * or not, stays as it is, in its order. The characters are bytes. Immutable.
 */
final class DescriptorText {
  private static final Pattern ENTRY =
      Pattern.compile("([ \\t]*+([A-Za-z][\\w.]*+)[ \\t]*+=[ \\t]*+)([^\\r\\n]*+)([\\r\\n]*+)");

  private final List<String> lines;

  DescriptorText(List<String> lines) {
    this.lines = List.copyOf(lines);
  }

  /** The lines up to the first zero byte. */
  static DescriptorText parse(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    String text = new String(bytes, 0, end, StandardCharsets.ISO_8859_1);
    List<String> lines = new ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      int next = text.indexOf('\n', from) + 1;
      int to = next == 0 ? text.length() : next;
      lines.add(text.substring(from, to));
      from = to;
    }
    return new DescriptorText(lines);
  }

  List<String> lines() {
    return lines;
  }

  /** The key of a line as it is spelled; empty if the line is no entry. */
  static String key(String line) {
    Matcher entry = ENTRY.matcher(line);
    return entry.matches() ? entry.group(2) : "";
  }

  /** The value of an entry without its quotes; the first of that key, whatever its case. */
  Optional<String> find(String key) {
    for (String line : lines) {
      Matcher entry = ENTRY.matcher(line);
      if (entry.matches() && entry.group(2).equalsIgnoreCase(key)) {
        return Optional.of(unquoted(entry.group(3).strip()));
      }
    }
    return Optional.empty();
  }

  private static String unquoted(String value) {
    int length = value.length();
    return length > 1 && value.charAt(0) == '"' && value.charAt(length - 1) == '"'
        ? value.substring(1, length - 1)
        : value;
  }

  /** Sets an entry; where there is none, a line behind that of the key {@code before}. */
  DescriptorText with(String key, String value, String before) {
    List<String> changed = new ArrayList<>(lines);
    int behind = 0;
    for (int i = 0; i < lines.size(); i++) {
      Matcher entry = ENTRY.matcher(lines.get(i));
      if (!entry.matches()) {
        continue;
      }
      if (entry.group(2).equalsIgnoreCase(key)) {
        changed.set(i, entry.group(1) + value + entry.group(4));
        return new DescriptorText(changed);
      }
      if (entry.group(2).equalsIgnoreCase(before)) {
        behind = i + 1;
      }
    }
    if (behind > 0 && !changed.get(behind - 1).endsWith("\n")) {
      changed.set(behind - 1, changed.get(behind - 1) + end());
    }
    changed.add(behind, key + "=" + value + end());
    return new DescriptorText(changed);
  }

  private String end() {
    return !lines.isEmpty() && lines.get(0).endsWith("\r\n") ? "\r\n" : "\n";
  }

  /** Without the entries of a key. */
  DescriptorText without(String key) {
    return new DescriptorText(
        lines.stream().filter(line -> !key(line).equalsIgnoreCase(key)).toList());
  }

  /** With another line at this place. */
  DescriptorText withLine(int number, String line) {
    List<String> changed = new ArrayList<>(lines);
    changed.set(number, line);
    return new DescriptorText(changed);
  }

  @Override
  public String toString() {
    return String.join("", lines);
  }
}

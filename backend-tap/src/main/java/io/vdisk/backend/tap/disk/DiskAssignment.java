package io.vdisk.backend.tap.disk;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads the disks of a guest's configuration file: its {@code disk = [ ... ]}, whatever else it
 * assigns. Strings stand in single or double quotes, and two of them side by side are one; a list
 * may go over several lines and end in a comma; a backslash continues a line, and a {@code #}
 * begins a comment. A later {@code disk =} replaces an earlier one, {@code disk +=} adds to it. One
 * thread.
 *
 * <p>No command reads such files: it is for programs that take guests over from xm or xl, and open
 * each {@link DiskSpec#descriptor()}.
 *
 * <pre>
 * file   := { name ("=" | "+=") value (newline | ";") }
 * value  := string | number | "[" [ value { "," value } [","] ] "]"
 * string := ("'" ... "'" | '"' ... '"') { string }
 * </pre>
 */
public final class DiskAssignment {
  private static final String NAME = "disk";

  /** Lists within each other: a list of disks needs one. */
  private static final int MOST_DEPTH = 8;

  private final String text;
  private int at;

  private DiskAssignment(String text) {
    this.text = text;
  }

  /**
   * The disks of a configuration file, or of the one assignment alone.
   *
   * @throws DiskSyntaxException if the text or a disk in it makes no sense
   */
  public static List<DiskSpec> parse(String text) throws DiskSyntaxException {
    List<DiskSpec> disks = new ArrayList<>();
    for (String disk : new DiskAssignment(text).file()) {
      disks.add(DiskSpec.parse(disk));
    }
    return disks;
  }

  private List<String> file() throws DiskSyntaxException {
    List<String> disks = new ArrayList<>();
    skipBlanks(true);
    while (at < text.length()) {
      String name = name();
      skipBlanks(false);
      boolean isAdded = peek() == '+';
      if (isAdded) {
        at++;
      }
      expect('=');
      skipBlanks(false);
      List<String> values = new ArrayList<>();
      value(0, values);
      if (name.equals(NAME)) {
        if (!isAdded) {
          disks.clear();
        }
        disks.addAll(values);
      }
      endOfStatement();
    }
    return disks;
  }

  private String name() throws DiskSyntaxException {
    int start = at;
    while (Character.isLetterOrDigit(peek()) || peek() == '_') {
      at++;
    }
    if (at == start) {
      throw error("expected a name, as in disk = [ 'phy:/dev/vg/root,xvda,w' ]");
    }
    return text.substring(start, at);
  }

  private void value(int depth, List<String> into) throws DiskSyntaxException {
    if (peek() == '[') {
      list(depth + 1, into);
    } else if (peek() == '\'' || peek() == '"') {
      into.add(strings(depth > 0));
    } else {
      into.add(word());
    }
  }

  private void list(int depth, List<String> into) throws DiskSyntaxException {
    if (depth > MOST_DEPTH) {
      throw error("lists are nested deeper than " + MOST_DEPTH);
    }
    at++;
    skipBlanks(true);
    while (peek() != ']') {
      value(depth, into);
      skipBlanks(true);
      if (peek() != ']') {
        if (at == text.length() || peek() != ',') {
          throw error("expected ',' or ']'");
        }
        at++;
        skipBlanks(true);
      }
    }
    at++;
  }

  private String strings(boolean overLines) throws DiskSyntaxException {
    StringBuilder joined = new StringBuilder();
    while (peek() == '\'' || peek() == '"') {
      string(joined);
      skipBlanks(overLines);
    }
    return joined.toString();
  }

  private void string(StringBuilder into) throws DiskSyntaxException {
    int start = at;
    char quote = text.charAt(at++);
    while (peek() != quote) {
      if (at == text.length() || peek() == '\n') {
        at = start;
        throw error("the string has no closing quote");
      }
      char c = text.charAt(at++);
      if (c == '\\') {
        escape(into);
      } else {
        into.append(c);
      }
    }
    at++;
  }

  private void escape(StringBuilder into) throws DiskSyntaxException {
    char c = peek();
    switch (c) {
      case '\n' -> {} // the string goes on in the next line
      case '\\', '\'', '"' -> into.append(c);
      case 'n' -> into.append('\n');
      case 't' -> into.append('\t');
      default -> {
        at--;
        throw error("expected one of \\\\ \\' \\\" \\n \\t or the end of the line after '\\'");
      }
    }
    at++;
  }

  private String word() throws DiskSyntaxException {
    int start = at;
    while (at < text.length() && " \t\r\n;#,[]'\"=".indexOf(peek()) < 0) {
      at++;
    }
    if (at == start) {
      throw error("expected a string in quotes, a number or '['");
    }
    return text.substring(start, at);
  }

  private void endOfStatement() throws DiskSyntaxException {
    skipBlanks(false);
    if (at < text.length() && peek() != '\n' && peek() != ';') {
      throw error("expected the end of the line");
    }
    while (at < text.length() && (peek() == '\n' || peek() == ';')) {
      at++;
      skipBlanks(true);
    }
  }

  /** Skips blanks, comments and continued line ends, and other line ends if they mean nothing. */
  private void skipBlanks(boolean overLines) {
    while (at < text.length()) {
      char c = peek();
      if (c == '#') {
        while (at < text.length() && peek() != '\n') {
          at++;
        }
      } else if (c == '\\' && isLineEnd(at + 1)) {
        at = text.indexOf('\n', at) + 1;
      } else if (c == ' ' || c == '\t' || c == '\r' || (overLines && c == '\n')) {
        at++;
      } else {
        return;
      }
    }
  }

  private boolean isLineEnd(int position) {
    return text.startsWith("\n", position) || text.startsWith("\r\n", position);
  }

  private void expect(char wanted) throws DiskSyntaxException {
    if (peek() != wanted) {
      throw error("expected '" + wanted + "'");
    }
    at++;
  }

  /** The character that comes next; 0 at the end, which means nothing in such a file. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  /** Tells the line too: such a text has many. */
  private DiskSyntaxException error(String trouble) {
    int lineStart = text.lastIndexOf('\n', Math.max(0, at - 1)) + 1;
    long line = text.substring(0, lineStart).chars().filter(c -> c == '\n').count() + 1;
    int lineEnd = text.indexOf('\n', lineStart);
    String shown = text.substring(lineStart, lineEnd < 0 ? text.length() : lineEnd);
    return new DiskSyntaxException(shown, at - lineStart, trouble + ", in line " + line);
  }
}

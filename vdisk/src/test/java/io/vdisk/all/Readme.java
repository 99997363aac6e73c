package io.vdisk.all;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The README at the top of the project, as its tests read it. */
final class Readme {
  /** What the table of formats says of one. */
  record Row(String format, boolean reads, boolean writes, boolean creates) {}

  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| (\\w+) \\| (yes|no) \\| (yes|no) \\| (yes|no) \\|");

  private final String text;

  private Readme(String text) {
    this.text = text;
  }

  static Readme read() throws IOException {
    return new Readme(Files.readString(Path.of("..", "README.md")));
  }

  /** The one block of code in {@code language}. */
  String block(String language) {
    Matcher block = Pattern.compile("(?s)```" + language + "\n(.*?)```").matcher(text);
    assertTrue(block.find(), language);
    return block.group(1);
  }

  List<Row> formats() {
    List<Row> rows = new ArrayList<>();
    Matcher row = ROW.matcher(text);
    while (row.find()) {
      rows.add(new Row(row.group(1), isYes(row, 2), isYes(row, 3), isYes(row, 4)));
    }
    return rows;
  }

  private static boolean isYes(Matcher row, int column) {
    return row.group(column).equals("yes");
  }
}

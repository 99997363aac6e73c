package io.vdisk.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class MarkdownTableTest {
  @Test
  void figuresAreAlignedRight() {
    MarkdownTable table = new MarkdownTable("case", "s");
    table.add("a|b", "1.0");

    assertEquals("| case | s |\n| :-- | --: |\n| a\\|b | 1.0 |\n", table.toString());
  }

  @Test
  void rowOfAnotherLengthIsRefused() {
    MarkdownTable table = new MarkdownTable("case", "s");

    assertThrows(IllegalArgumentException.class, () -> table.add("a"));
  }
}

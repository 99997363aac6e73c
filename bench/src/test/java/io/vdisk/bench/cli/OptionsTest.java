package io.vdisk.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OptionsTest {
  private static Options parse(String... words) throws UsageException {
    return Options.parse(List.of(words), 7, Path.of("/default"));
  }

  @Test
  void nothingSaidMeansAllCasesSevenTimes() throws UsageException {
    Options options = parse();

    assertEquals(7, options.rounds());
    assertEquals(Path.of("/default"), options.folder());
    assertEquals(Optional.empty(), options.jdk());
    assertFalse(options.isQuick());
    assertTrue(options.selects("anything"));
  }

  @Test
  void everyOptionIsUnderstood() throws UsageException {
    Options options =
        parse("-n", "15", "--dir", "/d", "--jdk", "/j", "--quick", "--list", "--seed", "9", "info");

    assertEquals(15, options.rounds());
    assertEquals(Path.of("/d"), options.folder());
    assertEquals(Optional.of(Path.of("/j")), options.jdk());
    assertEquals(9, options.seed());
    assertTrue(options.isQuick() && options.isList());
    assertTrue(options.selects("info"));
  }

  @Test
  void expressionIsForWholeNames() throws UsageException {
    Options options = parse("raw-to-.*", "info");

    assertTrue(options.selects("raw-to-qcow2"));
    assertTrue(options.selects("info"));
    assertFalse(options.selects("info-large"));
  }

  @Test
  void whatIsNotUnderstoodIsSaid() {
    for (String[] words :
        new String[][] {
          {"-n"}, {"-n", "0"}, {"-n", "many"}, {"-n", "1001"}, {"--dir"}, {"--what"}, {"("}
        }) {
      assertThrows(UsageException.class, () -> parse(words), String.join(" ", words));
    }
  }
}

package io.vdisk.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.bench.cli.UsageException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class EngineOptionsTest {
  private static EngineOptions parse(String... words) throws UsageException {
    return EngineOptions.parse(List.of(words), Path.of("/default"));
  }

  @Test
  void nothingSaidMeansOneAndEightThreads() throws UsageException {
    EngineOptions options = parse();

    assertEquals(List.of(1, 8), options.threads());
    assertEquals(3, options.common().rounds());
    assertFalse(options.isDirect());
  }

  @Test
  void ownOptionsStandAnywhere() throws UsageException {
    EngineOptions options = parse("-n", "5", "--threads", "1,2", "--direct", "read-.*");

    assertEquals(List.of(1, 2), options.threads());
    assertEquals(5, options.common().rounds());
    assertTrue(options.isDirect());
    assertTrue(options.common().selects("read-raw-4k-random"));
  }

  @Test
  void otherNumbersOfThreadsAreRefused() {
    for (String list : List.of("0", "9", "", "1,", "two")) {
      assertThrows(UsageException.class, () -> parse("--threads", list), list);
    }
    assertThrows(UsageException.class, () -> parse("--threads"));
  }
}

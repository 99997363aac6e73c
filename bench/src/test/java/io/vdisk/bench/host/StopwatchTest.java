package io.vdisk.bench.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing here depends on how long anything takes. */
class StopwatchTest {
  @TempDir Path folder;

  @BeforeEach
  void needsGnuTime() {
    Requirements.need("time");
  }

  @Test
  void eachTurnOfARepeatedCommandHasItsOutput() throws IOException, InterruptedException {
    Command command = Command.of("touch {out}").withFile("out", folder + "/out$i");

    Run run = new Stopwatch(folder).run(command, 3);

    assertTrue(run.wall() <= run.seconds());
    assertTrue(run.peakKib() > 0);
    for (int i = 0; i < 3; i++) {
      assertTrue(Files.exists(folder.resolve("out" + i)));
    }
  }

  @Test
  void whatIsPrintedIsKept() throws IOException, InterruptedException {
    Stopwatch stopwatch = new Stopwatch(folder);

    stopwatch.run(Command.of("echo one two"), 1);

    assertEquals("one two\n", stopwatch.printed());
  }

  @Test
  void failureTellsWhatTheCommandSaid() {
    Stopwatch stopwatch = new Stopwatch(folder);
    Command failing = new Command(List.of("sh", "-c", "echo oh; exit 3"), Map.of());

    IOException e = assertThrows(CommandFailedException.class, () -> stopwatch.run(failing, 1));

    assertTrue(e.getMessage().endsWith("ended with 3: oh"), e.getMessage());
  }
}

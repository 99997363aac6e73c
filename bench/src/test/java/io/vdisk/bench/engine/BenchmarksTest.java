package io.vdisk.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** That every benchmark runs; how fast is nobody's business here. */
class BenchmarksTest {
  @TempDir Path path;
  private Folder folder;

  @BeforeEach
  void makeImages() throws IOException {
    folder = SmallImages.in(path);
    for (String property : folder.properties()) {
      String[] parts = property.substring(2).split("=", 2);
      System.setProperty(parts[0], parts[1]);
    }
    System.setProperty("jmh.ignoreLock", "true");
  }

  @AfterEach
  void forgetProperties() {
    for (String property : folder.properties()) {
      System.clearProperty(property.substring(2).split("=", 2)[0]);
    }
  }

  private static ChainedOptionsBuilder options(Work work, Subject subject) {
    return new OptionsBuilder()
        .include(work.operation().benchmark())
        .param("format", work.format())
        .param("subject", subject.word())
        .param("size", Integer.toString(work.size()))
        .param("order", work.order())
        .threads(2)
        .forks(0)
        .warmupIterations(0)
        .measurementIterations(1)
        .measurementTime(TimeValue.milliseconds(1))
        .verbosity(VerboseMode.SILENT)
        .shouldFailOnError(true);
  }

  @Test
  void everyBenchmarkRunsWithEachSubject() throws RunnerException {
    for (Work work : Work.all()) {
      if (work.size() == 65_536 && work.order().equals("random")) {
        for (Subject subject : Subject.values()) {
          if (isToRun(work, subject)) {
            RunResult result = new Runner(options(work, subject).build()).runSingle();
            assertTrue(result.getPrimaryResult().getScore() > 0, work.name());
            assertTrue(result.getSecondaryResults().get("requests").getScore() > 0, work.name());
          }
        }
      }
    }
    assertTrue(Files.notExists(folder.fresh()));
  }

  /** Bare files below one format are enough: they do not know which it is. */
  private static boolean isToRun(Work work, Subject subject) {
    boolean here = subject != Subject.SYSTEM_CALLS || SystemCalls.opener().isPresent();
    return here && (subject == Subject.ENGINE || work.format().equals("qcow2"));
  }

  @Test
  void batchIsMadeByAllThreadsTogether() throws RunnerException {
    Work work = new Work(Operation.ALLOCATE, "qcow2", 4096, "random");

    RunResult result = new Runner(options(work, Subject.ENGINE).threads(3).build()).runSingle();

    assertEquals(
        work.batch(folder).count(), result.getSecondaryResults().get("requests").getScore());
  }

  /** In a JVM that may not make system calls. */
  @Test
  void directIsRefusedWithTheReason() throws IOException {
    IOException e = assertThrows(IOException.class, () -> Direct.cache(true, path));

    assertTrue(e.getMessage().contains("host-linux"), e.getMessage());
    assertEquals(PageCache.USED, Direct.cache(false, path));
  }
}

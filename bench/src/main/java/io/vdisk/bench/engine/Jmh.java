package io.vdisk.bench.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs one benchmark of one subject in a JVM of its own.
 *
 * @param jdk the home of that JVM
 * @param version its number
 * @param millis how long an iteration of a steady benchmark lasts
 * @param direct whether requests go past the page cache
 */
record Jmh(Path jdk, int version, Folder folder, int millis, boolean direct) {
  /** From here on a JVM knows the option that allows system calls, and can make them. */
  private static final int SYSTEM_CALLS = 22;

  /** From here on a JVM complains of JMH. */
  private static final int UNSAFE_IS_DEPRECATED = 24;

  /** The subjects that this JVM knows. */
  List<Subject> subjects() {
    return Arrays.stream(Subject.values())
        .filter(subject -> subject != Subject.SYSTEM_CALLS || version >= SYSTEM_CALLS)
        .toList();
  }

  Rate run(Work work, Subject subject, int threads) throws IOException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(work.operation().benchmark())
            .param("format", work.format())
            .param("subject", subject.word())
            .param("size", Integer.toString(work.size()))
            .param("order", work.order())
            .param("direct", Boolean.toString(direct))
            .threads(threads)
            .jvm(jdk.resolve("bin/java").toString())
            .jvmArgs(jvmArguments())
            .verbosity(VerboseMode.SILENT)
            .shouldFailOnError(true);
    if (!work.operation().isBatch()) {
      options.warmupTime(TimeValue.milliseconds(millis));
      options.measurementTime(TimeValue.milliseconds(millis));
    }
    try {
      // What the other JVM says by itself is not for the report.
      OutputFormat log = OutputFormatFactory.createFormatInstance(System.err, VerboseMode.SILENT);
      return rate(work, new Runner(options.build(), log).runSingle());
    } catch (RunnerException e) {
      throw new IOException(work.name() + ", " + subject.word() + ": " + e.getMessage(), e);
    }
  }

  /** The option, if any, that lets a JVM of this version make system calls. */
  static List<String> nativeAccess(int version) {
    return version >= SYSTEM_CALLS ? List.of("--enable-native-access=ALL-UNNAMED") : List.of();
  }

  private String[] jvmArguments() {
    List<String> arguments = new ArrayList<>(Arrays.asList(folder.properties()));
    arguments.add("-Xmx1g");
    arguments.addAll(nativeAccess(version));
    if (version >= UNSAFE_IS_DEPRECATED) {
      arguments.add("--sun-misc-unsafe-memory-access=allow");
    }
    return arguments.toArray(String[]::new);
  }

  private Rate rate(Work work, RunResult result) {
    double score = result.getPrimaryResult().getScore();
    double cpu = secondary(result, "cpuNanos") / secondary(result, "requests") / 1e9;
    return Rate.of(work.operation().isBatch() ? work.batch(folder).count() / score : score, cpu);
  }

  private static double secondary(RunResult result, String name) {
    return Objects.requireNonNull(result.getSecondaryResults().get(name), name).getScore();
  }
}

package io.vdisk.bench.compare;

import io.vdisk.bench.cli.Options;
import io.vdisk.bench.cli.UsageException;
import io.vdisk.bench.host.Command;
import io.vdisk.bench.host.Machine;
import io.vdisk.bench.host.Programs;
import io.vdisk.bench.input.Input;
import io.vdisk.bench.input.Inputs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The command {@code compare}. */
public final class Compare {
  private static final String USAGE =
      """
      usage: compare [OPTIONS] [CASE...]
      Measures the tools of vdisk beside other programs on the same work, in turn.
        CASE          a name, or a regular expression for whole names; default: all cases
        -n PAIRS      how often each case is measured (default 7)
        --dir DIR     where inputs, outputs and reports go: needs some 40 GB, with --quick 6
                      (default: target/bench of this module)
        --jdk HOME    the JVM for vdisk (default: the newest here)
        --quick       smaller inputs: shows that all works, and says little
        --seed N      of the order of cases (default 1)
        --list        names the cases""";

  private static final int PAIRS = 7;
  private static final int USAGE_ERROR = 2;

  private final Options options;
  private final Path root;
  private final Path jdk;

  private Compare(Options options, Path root) {
    this.options = options;
    this.root = root;
    this.jdk = options.jdk().orElseGet(() -> Path.of(System.getProperty("java.home")));
  }

  /** The launcher says in {@code vdisk.root} where the sources are, which hold the tools. */
  public static void main(String[] args) throws InterruptedException {
    Path root = Path.of(System.getProperty("vdisk.root"));
    try {
      Options options =
          Options.parse(Arrays.asList(args), PAIRS, root.resolve("bench/target/bench"));
      System.exit(new Compare(options, root).run());
    } catch (UsageException e) {
      System.err.println("compare: " + e.getMessage() + " (see --help)");
      System.exit(USAGE_ERROR);
    } catch (IOException e) {
      System.err.println("compare: " + e.getMessage());
      System.exit(1);
    }
  }

  private int run() throws IOException, InterruptedException {
    if (options.isHelp()) {
      System.out.println(USAGE);
      return 0;
    }
    List<Case> cases =
        Catalogue.of(options.isQuick() ? Scale.QUICK : Scale.FULL).stream()
            .filter(work -> options.selects(work.name()))
            .toList();
    if (options.isList()) {
      cases.forEach(work -> System.out.println(work.name() + "\t" + work.title()));
      return 0;
    }
    if (cases.isEmpty()) {
      System.err.println("compare: no case has that name (see --list)");
      return USAGE_ERROR;
    }
    for (String needed : List.of("time", "cmp", "qemu-img", "mke2fs")) {
      Programs.find(needed);
    }
    List<Outcome> outcomes = measure(cases);
    return outcomes.stream().allMatch(outcome -> outcome.failure().isEmpty()) ? 0 : 1;
  }

  private List<Outcome> measure(List<Case> cases) throws IOException, InterruptedException {
    Map<String, String> environment = Map.of("VDISK_JAVA_HOME", jdk.toString());
    Inputs inputs = new Inputs(options.folder().resolve("inputs"), Compare::say);
    for (Case work : cases) {
      for (Input input : work.inputs()) {
        inputs.make(input);
      }
    }
    Path tools = root.resolve("tools/bin");
    // The first start after a build stores an archive: not what users wait for each time.
    Command version = Command.of("vdisk --version").withProgram(tools.resolve("vdisk").toString());
    Programs.run(environment, version.words());
    Bench bench = new Bench(tools, environment, inputs, options.folder());
    List<Contest> contests = cases.stream().map(work -> new Contest(work, bench)).toList();
    Calibration calibration = new Calibration(bench);
    for (Contest contest : contests) {
      say("preparing " + contest.name());
      contest.prepare(calibration);
    }
    Map<String, String> facts = Machine.describe(jdk);
    Report report = new Report(facts, List.of());
    for (int round = 0; round < options.rounds(); round++) {
      rounds(contests, round);
      report = new Report(facts, contests.stream().map(Contest::outcome).toList());
      report.write(options.folder());
    }
    System.out.print(report.markdown());
    say("written to " + options.folder().resolve("report.{md,json,svg}"));
    return report.outcomes();
  }

  /**
   * In another order each time: in a fixed one, each inherits the memory that the last one freed.
   */
  private void rounds(List<Contest> contests, int round) throws InterruptedException {
    List<Contest> order = new ArrayList<>(contests);
    Collections.shuffle(order, new Random(options.seed() * 1_000_003 + round));
    for (Contest contest : order) {
      if (contest.isOpen(round)) {
        say("pair " + (round + 1) + " of " + contest.name());
        contest.round(round);
      }
    }
  }

  private static void say(String text) {
    System.err.println("compare: " + text);
  }
}

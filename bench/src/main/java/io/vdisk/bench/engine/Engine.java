package io.vdisk.bench.engine;

import com.google.gson.Gson;
import io.vdisk.bench.cli.Options;
import io.vdisk.bench.cli.UsageException;
import io.vdisk.bench.host.Machine;
import io.vdisk.bench.host.Programs;
import io.vdisk.bench.host.Stopwatch;
import io.vdisk.bench.input.Inputs;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The command {@code engine}. */
public final class Engine {
  private static final int USAGE_ERROR = 2;

  private final EngineOptions options;
  private final Options common;
  private final Path jdk;
  private final Folder folder;
  private final List<String> notes = new ArrayList<>();

  private Engine(EngineOptions options) {
    this.options = options;
    this.common = options.common();
    this.jdk = common.jdk().orElseGet(() -> Path.of(System.getProperty("java.home")));
    this.folder = new Folder(common.folder().resolve("images"), common.isQuick() ? 512 : 4096);
  }

  /** The launcher says in {@code vdisk.root} where the sources are. */
  public static void main(String[] args) throws InterruptedException {
    Path root = Path.of(System.getProperty("vdisk.root"));
    // Noise is met by rounds; a lock against other benchmarks of this machine does not help.
    System.setProperty("jmh.ignoreLock", "true");
    try {
      Path usual = root.resolve("bench/target/engine");
      System.exit(new Engine(EngineOptions.parse(Arrays.asList(args), usual)).run());
    } catch (UsageException e) {
      System.err.println("engine: " + e.getMessage() + " (see --help)");
      System.exit(USAGE_ERROR);
    } catch (IOException e) {
      System.err.println("engine: " + e.getMessage());
      System.exit(1);
    }
  }

  private int run() throws IOException, InterruptedException, UsageException {
    if (common.isHelp()) {
      System.out.println(EngineOptions.USAGE);
      return 0;
    }
    List<Work> works =
        Work.all().stream()
            .filter(work -> common.names().isEmpty() ? work.isUsual() : common.selects(work.name()))
            .toList();
    if (common.isList()) {
      list();
      return 0;
    }
    if (works.isEmpty()) {
      throw new UsageException("no case has that name; --list names them");
    }
    Programs.find("time");
    measure(works);
    return notes.isEmpty() ? 0 : 1;
  }

  private void list() {
    for (Work work : Work.all()) {
      if (common.selects(work.name())) {
        String star = work.isUsual() ? "* " : "  ";
        System.out.println(star + work.name() + "\t" + work.operation().title());
      }
    }
  }

  private void measure(List<Work> works) throws IOException, InterruptedException {
    Inputs inputs = new Inputs(folder.path(), Engine::say);
    for (Work work : works) {
      inputs.make(folder.full(work.format()));
    }
    PageCache unused = Direct.cache(options.isDirect(), folder.path()); // refused here, if it is
    List<Entry> entries = new ArrayList<>();
    List<Overhead> overheads = new ArrayList<>();
    for (Work work : works) {
      options.threads().forEach(count -> entries.add(new Entry(work, count)));
    }
    EngineReport report = new EngineReport(Machine.describe(jdk), entries, overheads, notes);
    Contestants contestants = contestants();
    for (int round = 0; round < common.rounds(); round++) {
      Random random = new Random(common.seed() * 1_000_003 + round);
      List<Entry> order = new ArrayList<>(entries);
      Collections.shuffle(order, random);
      for (Entry entry : order) {
        say(
            "round "
                + (round + 1)
                + " of "
                + entry.work().name()
                + ", "
                + entry.threads()
                + " threads");
        inputs.warm(folder.full(entry.work().format()));
        notes.addAll(contestants.run(entry, random));
      }
      report.write(common.folder());
    }
    for (Work work : works) {
      if (work.operation() == Operation.READ && !options.isDirect()) {
        inputs.warm(folder.full(work.format()));
        overheads.add(overhead(work, 1));
        overheads.add(overhead(work, 2));
      }
    }
    report.write(common.folder());
    System.out.print(report.markdown());
    say("written to " + common.folder().resolve("engine.{md,json,svg}"));
  }

  private Contestants contestants() throws IOException {
    int version = Machine.majorVersion(jdk);
    int millis = common.isQuick() ? 300 : 1000;
    return new Contestants(
        new Jmh(jdk, version, folder, millis, options.isDirect()),
        folder,
        new Stopwatch(common.folder()));
  }

  /** In a JVM of its own, so that the compiler knows nothing of other reads. */
  private Overhead overhead(Work work, int threads) throws IOException, InterruptedException {
    say("overhead of " + work.name() + ", " + threads + " threads");
    List<String> words = new ArrayList<>(List.of(jdk.resolve("bin/java").toString()));
    words.addAll(Arrays.asList(folder.properties()));
    words.addAll(Jmh.nativeAccess(Machine.majorVersion(jdk)));
    words.addAll(List.of("-cp", System.getProperty("java.class.path")));
    words.addAll(List.of(OverheadMeasurement.class.getName(), work.name()));
    words.addAll(List.of(Integer.toString(threads), common.isQuick() ? "200" : "1000"));
    return new Gson().fromJson(Programs.run(Map.of(), words), Overhead.class);
  }

  private static void say(String text) {
    System.err.println("engine: " + text);
  }
}

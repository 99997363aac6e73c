package io.vdisk.bench.engine;

import io.vdisk.bench.cli.Options;
import io.vdisk.bench.cli.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line.
 *
 * @param threads numbers of threads, each a row of its own
 * @param isDirect whether requests go past the page cache
 */
record EngineOptions(Options common, List<Integer> threads, boolean isDirect) {
  static final String USAGE =
      """
      usage: engine [OPTIONS] [CASE...]
      Measures requests to vdisk's devices beside bare files and qemu-img bench.
        CASE           a name, or a regular expression for whole names (default: the usual ones)
        -n ROUNDS      how often each case is measured (default 3)
        --threads LIST numbers of threads, such as 1,2,8 (default 1,8)
        --direct       past the page cache
        --dir DIR      where images and reports go: needs some 14 GB, with --quick 2
                       (default: target/engine of this module)
        --jdk HOME     the JVM to measure (default: the newest here)
        --quick        smaller images and shorter runs: shows that all works, and says little
        --seed N       of the order of cases (default 1)
        --list         names the cases, the usual ones with a star""";

  private static final int ROUNDS = 3;
  private static final int MOST_THREADS = 8;
  private static final List<Integer> USUAL_THREADS = List.of(1, MOST_THREADS);

  static EngineOptions parse(List<String> words, Path usualFolder) throws UsageException {
    List<String> rest = new ArrayList<>(words);
    boolean direct = rest.removeIf(word -> word.equals("--direct"));
    List<Integer> threads = USUAL_THREADS;
    int at = rest.indexOf("--threads");
    if (at >= 0) {
      threads = numbers(at + 1 < rest.size() ? rest.get(at + 1) : "");
      rest.subList(at, at + 2).clear();
    }
    return new EngineOptions(Options.parse(rest, ROUNDS, usualFolder), threads, direct);
  }

  private static List<Integer> numbers(String list) throws UsageException {
    List<Integer> numbers = new ArrayList<>();
    for (String word : list.split(",", -1)) {
      if (!word.matches("[1-" + MOST_THREADS + "]")) {
        throw new UsageException("--threads takes numbers from 1 to 8, such as 1,2,8");
      }
      numbers.add(Integer.valueOf(word));
    }
    return numbers;
  }
}

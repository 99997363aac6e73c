package io.vdisk.bench.host;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A command line. In a template {@code {in}} and {@code {out}} stand for files, and a word of one
 * of these alone may hold spaces once it is filled in.
 */
public record Command(List<String> words, Map<String, String> environment) {
  private static final String COUNTER = "$i";

  public Command {
    words = List.copyOf(words);
    environment = Map.copyOf(environment);
  }

  /** Divides at spaces. */
  public static Command of(String template) {
    return new Command(Arrays.asList(template.trim().split(" +", -1)), Map.of());
  }

  public Command withFile(String place, String file) {
    return new Command(
        words.stream().map(word -> word.replace('{' + place + '}', file)).toList(), environment);
  }

  public Command withProgram(String program) {
    List<String> changed = new ArrayList<>(words);
    changed.set(0, program);
    return new Command(changed, environment);
  }

  public Command withEnvironment(Map<String, String> more) {
    Map<String, String> all = new HashMap<>(environment);
    all.putAll(more);
    return new Command(words, all);
  }

  /**
   * The same as one shell's loop, for commands too short to be measured alone. Where a word ends in
   * the counter {@code $i} each turn has a number of its own there.
   */
  public Command repeated(int times) {
    String body = words.stream().map(Command::quoted).collect(Collectors.joining(" "));
    String loop =
        "i=0; while [ $i -lt " + times + " ]; do " + body + " || exit; i=$((i + 1)); done";
    return new Command(List.of("sh", "-c", loop), environment);
  }

  private static String quoted(String word) {
    boolean counted = word.endsWith(COUNTER);
    String fixed = counted ? word.substring(0, word.length() - COUNTER.length()) : word;
    return "'" + fixed.replace("'", "'\\''") + "'" + (counted ? COUNTER : "");
  }

  @Override
  public String toString() {
    return String.join(" ", words);
  }
}

package io.vdisk.bench.compare;

import io.vdisk.bench.host.Command;
import io.vdisk.bench.input.Input;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One work for both sides. In the commands {@code {in}} stands for the input and {@code {out}} for
 * a file that does not exist yet.
 *
 * @param name for the command line: small letters and dashes
 * @param title for the report
 * @param inputs one; or a small and a large one, for what each further byte costs; or none
 * @param ours a command of {@code tools/bin}
 * @param peers command lines of the other side: the fastest is the one to compare with
 * @param target what the commands make, and how it is known to be right
 * @param isShort whether a start of the program is much of it, so that many are measured at once
 * @param mostPairs how many pairs are enough, where one takes long
 */
record Case(
    String name,
    String title,
    List<Input> inputs,
    Command ours,
    List<Command> peers,
    Target target,
    boolean isShort,
    int mostPairs) {

  static Case of(String name, String title, String ours, List<String> peers) {
    return new Case(
        name,
        title,
        List.of(),
        Command.of(ours),
        peers.stream().map(Command::of).toList(),
        Target.none(),
        false,
        Integer.MAX_VALUE);
  }

  Case named(String other, String text) {
    return new Case(other, text, inputs, ours, peers, target, isShort, mostPairs);
  }

  Case on(Input... works) {
    return new Case(name, title, Arrays.asList(works), ours, peers, target, isShort, mostPairs);
  }

  Case making(Target made) {
    return new Case(name, title, inputs, ours, peers, made, isShort, mostPairs);
  }

  Case asShort() {
    return new Case(name, title, inputs, ours, peers, target, true, mostPairs);
  }

  Case withMostPairs(int pairs) {
    return new Case(name, title, inputs, ours, peers, target, isShort, pairs);
  }

  /** With options for our JVM. */
  Case withJavaOptions(String options) {
    Command changed = ours.withEnvironment(Map.of("VDISK_JAVA_OPTS", options));
    return new Case(name, title, inputs, changed, peers, target, isShort, mostPairs);
  }

  /** The only input, or the small one. */
  Optional<Input> firstInput() {
    return inputs.stream().findFirst();
  }

  /** Whether the difference between two inputs is asked for. */
  boolean isSlope() {
    return inputs.size() == 2;
  }
}

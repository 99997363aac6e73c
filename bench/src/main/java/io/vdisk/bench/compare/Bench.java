package io.vdisk.bench.compare;

import io.vdisk.bench.host.Command;
import io.vdisk.bench.host.Programs;
import io.vdisk.bench.host.Run;
import io.vdisk.bench.host.Stopwatch;
import io.vdisk.bench.input.Input;
import io.vdisk.bench.input.Inputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Where commands are run: fills in their templates, and clears up behind them. For one thread. */
final class Bench {
  private static final Set<String> OUR_TOOLS = Set.of("vdisk", "img2qcow", "qcow-create");
  private static final int BLOCK = 512;

  private final Path tools;
  private final Map<String, String> environment;
  private final Inputs inputs;
  private final Path outputs;
  private final Stopwatch stopwatch;

  /**
   * @param tools the folder of our commands
   * @param environment for our commands
   * @param folder for what is made and noted
   */
  Bench(Path tools, Map<String, String> environment, Inputs inputs, Path folder)
      throws IOException {
    this.tools = tools;
    this.environment = environment;
    this.inputs = inputs;
    this.outputs = Files.createDirectories(folder.resolve("outputs"));
    this.stopwatch = new Stopwatch(folder);
    clear();
  }

  /**
   * Runs a command of {@code work}, measured, on an input that is in the page cache. Afterwards,
   * outside the time, compares what it made and deletes it.
   */
  Measured run(Case work, Command template, Optional<Input> input, int times)
      throws IOException, InterruptedException {
    if (input.isPresent()) {
      inputs.warm(input.get());
    }
    Path out = outputs.resolve("out");
    Command command = filled(template, input, times == 1 ? out.toString() : out + "$i");
    try {
      Run run = stopwatch.run(command, times);
      Path last = times == 1 ? out : outputs.resolve("out" + (times - 1));
      return new Measured(run, work.target().isFile() ? verified(work, input, last) : 0);
    } finally {
      clear();
    }
  }

  private Command filled(Command template, Optional<Input> input, String out) {
    Command command = template.withFile("out", out);
    if (input.isPresent()) {
      command = command.withFile("in", inputs.path(input.get()).toString());
    }
    String program = command.words().get(0);
    if (OUR_TOOLS.contains(program)) {
      command = command.withProgram(tools.resolve(program).toString()).withEnvironment(environment);
    }
    return command;
  }

  private long verified(Case work, Optional<Input> input, Path made)
      throws IOException, InterruptedException {
    work.target().verify(made, input.map(Input::raw).map(inputs::path).orElse(made));
    return Long.parseLong(Programs.run("stat", "-c", "%b", made.toString()).strip()) * BLOCK;
  }

  private void clear() throws IOException {
    try (Stream<Path> files = Files.list(outputs)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }
}

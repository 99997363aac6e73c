package io.vdisk.bench.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs commands and measures them. For one thread.
 *
 * <p>CPU and memory are read by GNU time between this process and the command, because Linux counts
 * the memory of the process that a command was forked from as the command's own, and GNU time is
 * smaller than any command here, a JVM is not. Its hundredths of a second are too coarse for one
 * start of a program; {@code times} makes many of them.
 */
public final class Stopwatch {
  private static final int LINES_OF_A_COMPLAINT = 5;

  private final Path report;
  private final Path printed;

  /** Keeps its notes in {@code folder}, which exists. */
  public Stopwatch(Path folder) {
    report = folder.resolve("time.txt");
    printed = folder.resolve("printed.txt");
  }

  /**
   * Runs a command to its end.
   *
   * @param times how often to run it in a row; more than one in one shell's loop
   * @throws CommandFailedException if it ends with another code than 0
   */
  public Run run(Command command, int times) throws IOException, InterruptedException {
    Command whole = times == 1 ? command : command.repeated(times);
    List<String> words = new ArrayList<>();
    words.add(Programs.find("time").toString());
    words.addAll(List.of("-q", "-o", report.toString(), "-f", Usage.FORMAT));
    words.addAll(whole.words());
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(printed.toFile());
    builder.environment().put("LC_ALL", "C");
    builder.environment().putAll(whole.environment());

    Load before = Load.now();
    long start = System.nanoTime();
    Process process = builder.start();
    int code = process.waitFor();
    double seconds = (System.nanoTime() - start) / 1e9;
    Load load = Load.now().since(before);

    if (code != 0) {
      throw new CommandFailedException(command + " ended with " + code + ": " + complaint());
    }
    Usage usage = Usage.parse(Files.readAllLines(report));
    return new Run(
        seconds / times,
        usage.cpu() / times,
        usage.peakKib(),
        load.foreign() / seconds,
        load.stolen() / seconds,
        seconds);
  }

  /** What the last command printed, on either stream. */
  public String printed() throws IOException {
    return Files.readString(printed);
  }

  private String complaint() throws IOException {
    List<String> lines = printed().lines().toList();
    return String.join("; ", lines.subList(0, Math.min(lines.size(), LINES_OF_A_COMPLAINT)));
  }
}

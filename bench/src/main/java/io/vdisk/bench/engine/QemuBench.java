package io.vdisk.bench.engine;

import io.vdisk.bench.host.Command;
import io.vdisk.bench.host.Programs;
import io.vdisk.bench.host.Run;
import io.vdisk.bench.host.Stopwatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code qemu-img bench} on the files that the benchmarks use, with the same steps.
 *
 * @param depth requests that are outstanding at once
 * @param engine how QEMU makes them: threads (its default) or io_uring
 * @param direct whether they go past the page cache
 */
record QemuBench(int depth, String engine, boolean direct) implements Peer {
  private static final Pattern COMPLETED =
      Pattern.compile("Run completed in ([0-9]+(?:\\.[0-9]+)?) seconds\\.");

  /** QEMU flushes qcow of version 1 after each change of a table: a request in ten milliseconds. */
  private static final String UNFLUSHED = " -t unsafe";

  private static final String DIRECT = " -t none";

  /** Enough for a second or more. */
  private static final int MOST_REQUESTS = 100_000;

  @Override
  public String name() {
    return "qemu-img bench -d " + depth + (engine.equals("threads") ? "" : " -i " + engine);
  }

  @Override
  public Rate run(Work work, Folder folder, Stopwatch stopwatch)
      throws IOException, InterruptedException {
    Path file = folder.fullPath(work.format());
    Steps steps = Steps.of(work.order(), folder.bytes(), work.size());
    int count = (int) Math.min(MOST_REQUESTS, folder.bytes() / work.size());
    if (work.operation().isBatch()) {
      Batch batch = work.batch(folder);
      steps = batch.steps();
      count = batch.count();
      file = folder.fresh();
      Files.deleteIfExists(file);
      create(work, folder);
    }
    try {
      Run run = stopwatch.run(command(work, steps, count, file), 1);
      return Rate.of(count / seconds(stopwatch.printed()), run.cpu() / count);
    } finally {
      Files.deleteIfExists(folder.fresh());
    }
  }

  private static void create(Work work, Folder folder) throws IOException, InterruptedException {
    String fresh = folder.fresh().toString();
    String format = work.format();
    if (work.operation() == Operation.COPY_ON_WRITE) {
      String base = folder.fullPath(format).toString();
      Programs.run("qemu-img", "create", "-q", "-f", format, "-b", base, "-F", format, fresh);
    } else {
      String size = Long.toString(folder.bytes());
      Programs.run("qemu-img", "create", "-q", "-f", format, fresh, size);
    }
  }

  private Command command(Work work, Steps steps, int count, Path file) {
    return Command.of(
            "qemu-img bench"
                + (work.operation() == Operation.READ ? "" : " -w")
                + (" -f " + work.format())
                + (direct ? DIRECT : work.format().equals("qcow") ? UNFLUSHED : "")
                + (" -i " + engine)
                + (" -d " + depth)
                + (" -c " + count)
                + (" -s " + work.size())
                + (" -S " + steps.step())
                + " {in}")
        .withFile("in", file.toString());
  }

  /** The time that it prints, without start and close. */
  static double seconds(String printed) throws IOException {
    Matcher completed = COMPLETED.matcher(printed);
    if (!completed.find()) {
      throw new IOException("qemu-img bench printed '" + printed.strip() + "'");
    }
    return Double.parseDouble(completed.group(1));
  }
}

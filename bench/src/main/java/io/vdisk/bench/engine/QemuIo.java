package io.vdisk.bench.engine;

import io.vdisk.bench.host.Command;
import io.vdisk.bench.host.Programs;
import io.vdisk.bench.host.Run;
import io.vdisk.bench.host.Stopwatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code qemu-io}, which zeroes as {@code qemu-img bench} cannot: one request after the other, each
 * a command that it reads and answers with the time of the request alone.
 *
 * @param direct whether past the page cache
 */
record QemuIo(boolean direct) implements Peer {
  /** Bytes, requests, time in hundredths, bytes and requests a second. */
  private static final Pattern ANSWER = Pattern.compile("\\d+,1,[0-9:.]+,[0-9.]+,([0-9.]+)");

  private static final int PIECE = 1 << 20;

  @Override
  public String name() {
    return "qemu-io write -z -u";
  }

  @Override
  public Rate run(Work work, Folder folder, Stopwatch stopwatch)
      throws IOException, InterruptedException {
    Batch batch = work.batch(folder);
    Path file = folder.fresh();
    Path script = folder.path().resolve("qemu-io.txt");
    try {
      fill(work, batch.steps().size(), file);
      Files.writeString(script, script(batch, work.size()));
      Run run = stopwatch.run(command(work, file, script), 1);
      double seconds = seconds(stopwatch.printed(), batch.count());
      return Rate.of(batch.count() / seconds, run.cpu() / batch.count());
    } finally {
      Files.deleteIfExists(file);
      Files.deleteIfExists(script);
    }
  }

  private static void fill(Work work, long bytes, Path file)
      throws IOException, InterruptedException {
    Files.deleteIfExists(file);
    String size = Long.toString(bytes);
    Programs.run("qemu-img", "create", "-q", "-f", work.format(), file.toString(), size);
    String command =
        "qemu-img bench -q -w -t unsafe -f "
            + work.format()
            + " -c "
            + bytes / PIECE
            + " -s "
            + PIECE;
    Programs.run(Map.of(), Command.of(command + " {in}").withFile("in", file.toString()).words());
  }

  private static String script(Batch batch, int size) {
    StringBuilder script = new StringBuilder();
    for (int k = 0; k < batch.count(); k++) {
      script.append("write -z -u -C ").append(batch.steps().offset(k)).append(' ').append(size);
      script.append('\n');
    }
    return script.toString();
  }

  private Command command(Work work, Path file, Path script) {
    String shell = "exec qemu-io" + (direct ? " -t none" : "") + " -f \"$1\" \"$2\" < \"$3\"";
    return new Command(
        List.of("sh", "-c", shell, "sh", work.format(), file.toString(), script.toString()),
        Map.of());
  }

  /** What all requests took by the rates that it prints, as the times have too few digits. */
  static double seconds(String printed, int count) throws IOException {
    double seconds = 0;
    int answers = 0;
    for (Matcher answer = ANSWER.matcher(printed); answer.find(); answers++) {
      seconds += 1 / Double.parseDouble(answer.group(1));
    }
    if (answers != count) {
      throw new IOException("qemu-io answered " + answers + " of " + count + " requests");
    }
    return seconds;
  }
}

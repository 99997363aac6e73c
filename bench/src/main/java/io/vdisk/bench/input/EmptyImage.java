package io.vdisk.bench.input;

import io.vdisk.bench.host.Programs;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A qcow2 image of which all tables are there and no data.
 *
 * @param gibibytes virtual size
 */
public record EmptyImage(long gibibytes) implements Input {
  @Override
  public String fileName() {
    return "empty-" + gibibytes + "g.qcow2";
  }

  @Override
  public String format() {
    return "qcow2";
  }

  @Override
  public void make(Path target, Path folder) throws IOException, InterruptedException {
    Programs.run(
        "qemu-img",
        "create",
        "-q",
        "-f",
        format(),
        "-o",
        "preallocation=metadata",
        target.toString(),
        gibibytes + "G");
  }
}

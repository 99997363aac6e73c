package io.vdisk.bench.input;

import io.vdisk.bench.host.Programs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A raw disk with an ext4 file system, five eighths of it full: half of that with programs,
 * libraries and texts of this machine, which compress well, half with random bytes, which do not.
 *
 * @param mebibytes size of the disk
 */
public record FileSystem(long mebibytes) implements Input {
  private static final String FIXED =
      "lazy_itable_init=0,hash_seed=00000000-0000-0000-0000-000000000001";
  private static final String IDENTITY = "00000000-0000-0000-0000-000000000002";

  @Override
  public String fileName() {
    return "fs-" + mebibytes + ".raw";
  }

  @Override
  public String format() {
    return "raw";
  }

  @Override
  public void make(Path target, Path folder) throws IOException, InterruptedException {
    try (Stage stage = Stage.of(folder.resolve("stage"))) {
      stage.fill((mebibytes << 20) / 8 * 5);
      Programs.run(
          Map.of("E2FSPROGS_FAKE_TIME", Long.toString(Stage.TIME.getEpochSecond())),
          List.of(
              "mke2fs",
              "-q",
              "-t",
              "ext4",
              "-E",
              FIXED,
              "-U",
              IDENTITY,
              "-d",
              stage.folder().toString(),
              target.toString(),
              mebibytes + "M"));
    }
  }
}

package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How a program took an image.
 *
 * @param outcome how far it came
 * @param said its message; empty if it had no complaint
 * @param content what it read
 * @param seconds how long it took
 */
@SuppressWarnings("ArrayRecordComponent") // compared by hand
record Verdict(Outcome outcome, String said, byte[] content, long seconds) {
  /** Offset and bytes of what is written. */
  static final int[][] WRITES = {{0, 512}, {8192, 4096}, {153_600, 66_560}, {270_336, 1024}};

  private static final int TIMED_OUT = 124;

  /** How far a program came. */
  enum Outcome {
    REFUSED,
    FAILED,
    DONE,
    DIED
  }

  boolean isOpened() {
    return outcome == Outcome.FAILED || outcome == Outcome.DONE;
  }

  boolean isDone() {
    return outcome == Outcome.DONE;
  }

  /** What is done with an open image. */
  interface Use {
    byte[] of(BlockDevice device) throws IOException;
  }

  /** Opens and uses an image; nothing but an IOException may come out of it. */
  static Verdict ofOurs(Path image, OpenOptions options, Use use) {
    long start = System.nanoTime();
    boolean isOpen = false;
    byte[] content = new byte[0];
    String said = "";
    Outcome outcome = Outcome.DONE;
    try (BlockDevice device = Images.open(image, options)) {
      isOpen = true;
      content = use.of(device);
    } catch (IOException e) {
      said = String.valueOf(e.getMessage());
      outcome = isOpen ? Outcome.FAILED : Outcome.REFUSED;
    }
    return new Verdict(outcome, said, content, (System.nanoTime() - start) / 1_000_000_000L);
  }

  static Verdict ofQemusRead(MutatedImage.Kind kind, Path image, Path out) throws IOException {
    Files.deleteIfExists(out);
    Verdict verdict =
        qemu(
            List.of(
                "qemu-img",
                "dd",
                "--object",
                MutatedImage.SECRET,
                "--image-opts",
                "-O",
                "raw",
                "bs=512",
                "count=" + MutatedImage.SIZE / 512,
                "if=" + kind.imageOptions(image),
                "of=" + out));
    byte[] content = verdict.isDone() ? Files.readAllBytes(out) : new byte[0];
    return new Verdict(verdict.outcome, verdict.said, content, 0);
  }

  /** Bytes of a range that lie on the disk. */
  static long within(int[] range, long diskSize) {
    return Math.max(0, Math.min(range[1], diskSize - range[0]));
  }

  static Verdict ofQemusWrite(MutatedImage.Kind kind, Path image, long diskSize)
      throws IOException {
    List<String> words = new ArrayList<>(List.of("qemu-io", "--object", MutatedImage.SECRET));
    for (int[] range : WRITES) {
      long length = within(range, diskSize);
      if (length > 0) {
        words.add("-c");
        words.add("write -P 9 " + range[0] + " " + length);
      }
    }
    words.add("--image-opts");
    words.add(kind.imageOptions(image));
    return qemu(words);
  }

  private static Verdict qemu(List<String> command) throws IOException {
    List<String> words = new ArrayList<>(List.of("timeout", "20"));
    words.addAll(command);
    Qemu.Result result = Qemu.run(words.toArray());
    String said = result.output();
    boolean isRefused = said.contains("ould not open") || said.contains("can't open");
    boolean isFailed =
        result.exit() != 0 || said.contains("write failed:") || said.contains("rror while");
    Outcome outcome = isFailed ? Outcome.FAILED : Outcome.DONE;
    if (result.exit() >= TIMED_OUT) {
      outcome = Outcome.DIED;
    } else if (isRefused) {
      outcome = Outcome.REFUSED;
    }
    return new Verdict(outcome, said, new byte[0], 0);
  }
}

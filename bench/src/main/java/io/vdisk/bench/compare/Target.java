package io.vdisk.bench.compare;

import com.google.gson.JsonParser;
import io.vdisk.bench.host.CommandFailedException;
import io.vdisk.bench.host.Programs;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What a command makes, and how it is known to be right.
 *
 * @param kind whether a file, and of what content
 * @param format of the image; empty where none is made
 * @param virtualSize of an empty image
 */
record Target(Kind kind, String format, long virtualSize) {
  private enum Kind {
    NONE,
    COPY,
    EMPTY
  }

  static Target none() {
    return new Target(Kind.NONE, "", 0);
  }

  /** An image with the content of the input. */
  static Target copy(String format) {
    return new Target(Kind.COPY, format, 0);
  }

  static Target empty(String format, long virtualSize) {
    return new Target(Kind.EMPTY, format, virtualSize);
  }

  boolean isFile() {
    return kind != Kind.NONE;
  }

  /** Compares all bytes of the disk that was made with {@code raw}, the disk that it copies. */
  void verify(Path made, Path raw) throws IOException, InterruptedException {
    try {
      switch (kind) {
        case NONE -> {}
        case COPY -> compare(made, raw);
        case EMPTY -> checkSize(made);
      }
    } catch (IOException e) {
      throw new CommandFailedException("what was made is wrong: " + e.getMessage());
    }
  }

  private void compare(Path made, Path raw) throws IOException, InterruptedException {
    if (format.equals("raw")) {
      Programs.run("cmp", raw.toString(), made.toString());
    } else {
      Programs.run(
          "qemu-img", "compare", "-q", "-f", "raw", "-F", format, raw.toString(), made.toString());
    }
  }

  private void checkSize(Path made) throws IOException, InterruptedException {
    long size = virtualSize(Programs.run("qemu-img", "info", "--output=json", made.toString()));
    if (size != virtualSize) {
      throw new IOException("its disk has " + size + " bytes, not " + virtualSize);
    }
  }

  static long virtualSize(String info) {
    return JsonParser.parseString(info).getAsJsonObject().get("virtual-size").getAsLong();
  }
}

package io.vdisk.tools;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Runs each command once on small files: the launchers let a JVM watch this, and store what it has
 * loaded by then, so that it starts faster from then on.
 */
final class Rehearsal {
  /** Several pieces of a copy, so that all its threads have something to do. */
  private static final int SIZE = 4 << 20;

  private Rehearsal() {}

  /** Plays in the folder that it is given, which exists and is empty. */
  public static void main(String[] args) throws IOException {
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    System.exit(
        run(
            Path.of(args[0]),
            new Console(InputStream.nullInputStream(), nowhere, nowhere, false, Map.of())));
  }

  static int run(Path folder, Console console) throws IOException {
    Path raw = folder.resolve("disk");
    try (var disk = Images.create(raw, CreateOptions.of("raw", SIZE))) {
      for (int offset = 0; offset < SIZE; offset += 1 << 20) {
        disk.write(ByteBuffer.allocateDirect(1).put(0, (byte) 1), offset);
      }
    }
    TapRehearsal.run(folder, raw);
    int failed = 0;
    for (String format : List.of("qcow", "qcow2")) {
      String image = folder.resolve(format).toString();
      String overlay = image + "-overlay";
      String copy = image + "-copy";
      failed |= Img2Qcow.run(List.of("-f", format, image, raw.toString()), console);
      failed |= QcowCreate.run(List.of("-f", format, "0", overlay, image), console);
      failed |= QcowCreate.run(List.of("-f", format, "1", copy), console);
      String made = image + "-made";
      failed |= vdisk(console, "create", "-f", format, made, "1M");
      failed |= vdisk(console, "map", image);
      failed |= vdisk(console, "measure", "-O", "qcow2", "-f", format, image);
      failed |= vdisk(console, "resize", "-f", "raw", raw + "", "+0");
      failed |= vdisk(console, "info", image);
      failed |= vdisk(console, "info", "--backing-chain", overlay);
      failed |= vdisk(console, "info", "--output=json", overlay);
      failed |= vdisk(console, "check", image);
      failed |= vdisk(console, "convert", "-O", "raw", overlay, copy);
      failed |= vdisk(console, "convert", "-O", "raw", "-t", "unsafe", image, copy);
      failed |=
          vdisk(console, "convert", "-f", "raw", "-O", format, "-t", "unsafe", raw + "", copy);
      failed |= vdisk(console, "convert", "-p", "-c", "-O", "qcow2", image, copy);
      failed |= vdisk(console, "commit", "-d", overlay);
      if (format.equals("qcow2")) {
        failed |= tables(console, made, overlay);
      }
      for (String name : List.of(image, overlay, copy, made)) {
        Files.delete(Path.of(name));
      }
    }
    Files.delete(raw);
    return failed == 0 ? 0 : 1;
  }

  /** What changes tables alone. */
  private static int tables(Console console, String image, String overlay) {
    int failed = vdisk(console, "snapshot", "-c", "one", image);
    failed |= vdisk(console, "snapshot", "-l", image);
    failed |= vdisk(console, "bitmap", "--add", image, "one");
    failed |= vdisk(console, "info", image);
    failed |= vdisk(console, "resize", overlay, "+1M");
    failed |= vdisk(console, "amend", "-o", "lazy_refcounts=on", overlay);
    return failed | vdisk(console, "rebase", "-b", "", overlay);
  }

  private static int vdisk(Console console, String... words) {
    return Vdisk.run(Arrays.asList(words), console);
  }
}

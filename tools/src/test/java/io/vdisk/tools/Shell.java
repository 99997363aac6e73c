package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/** Runs commands in this process, in one folder, and keeps what they print. */
final class Shell {
  interface Command {
    int run(List<String> words, Console console);
  }

  final Path folder;
  final Map<String, String> environment = new HashMap<>();
  boolean terminal;
  InputStream in = InputStream.nullInputStream();

  /** What the last command wrote to standard output. */
  byte[] bytes = new byte[0];

  String out = "";
  String err = "";

  Shell(Path folder) {
    this.folder = folder;
  }

  /** Words that begin with a slash are files in the folder. */
  int run(Command command, String... words) {
    ByteArrayOutputStream toOut = new ByteArrayOutputStream();
    ByteArrayOutputStream toErr = new ByteArrayOutputStream();
    int code;
    try (PrintStream outStream = new PrintStream(toOut, true, StandardCharsets.UTF_8);
        PrintStream errStream = new PrintStream(toErr, true, StandardCharsets.UTF_8)) {
      Console console = new Console(in, outStream, errStream, terminal, environment);
      code = command.run(Arrays.stream(words).map(this::word).toList(), console);
    }
    bytes = toOut.toByteArray();
    out = plain(toOut);
    err = plain(toErr);
    return code;
  }

  /** Runs a program beside: what it prints, and its exit code. */
  int program(String... words) throws IOException {
    Process process =
        new ProcessBuilder(Arrays.stream(words).map(this::word).toList())
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    out = out.replace(folder.toString(), "");
    err = "";
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private String word(String word) {
    return word.startsWith("/") ? folder + word : word;
  }

  private String plain(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8).replace(folder.toString(), "");
  }

  Path file(String name) {
    return folder.resolve(name.substring(1));
  }

  List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** A raw disk with some data, some of it at the end; returns what it reads as. */
  byte[] disk(String name, int size) throws IOException {
    Random random = new Random(size);
    byte[] content = new byte[size];
    for (int i = 0; i < 8; i++) {
      byte[] piece = new byte[Math.min(size / 20, 30_000)];
      random.nextBytes(piece);
      int offset = i == 7 ? size - piece.length : random.nextInt(size - piece.length);
      System.arraycopy(piece, 0, content, offset, piece.length);
    }
    CreateOptions options = CreateOptions.of("raw", size);
    try (BlockDevice disk = Images.create(file(name), options)) {
      disk.write(ByteBuffer.wrap(content), 0);
    }
    return content;
  }

  byte[] content(String name, String format) throws IOException {
    OpenOptions options =
        OpenOptions.readOnly().withFormat(format).withReferences(ReferencePolicy.any());
    try (BlockDevice disk = Images.open(file(name), options)) {
      ByteBuffer all = ByteBuffer.allocate((int) disk.size());
      disk.read(all, 0);
      return all.array();
    }
  }
}

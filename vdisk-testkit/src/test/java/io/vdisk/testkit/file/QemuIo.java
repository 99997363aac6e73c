package io.vdisk.testkit.file;

import io.vdisk.testkit.Requirements;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A qemu-io that holds a raw image open and waits for commands. */
final class QemuIo implements Closeable {
  private static final String PROMPT = "qemu-io> ";

  private final Process process;
  private final String greeting;

  private QemuIo(Process process) throws IOException {
    this.process = process;
    greeting = untilPrompt();
  }

  /** Returns when it has opened the image, or has failed to: see {@link #hasOpened}. */
  static QemuIo open(Path image, String... options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Requirements.need("qemu-io").toString());
    command.addAll(List.of("-f", "raw"));
    command.addAll(List.of(options));
    command.add(image.toString());
    return new QemuIo(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  boolean hasOpened() {
    return greeting.endsWith(PROMPT);
  }

  /** What it said before its first prompt. */
  String greeting() {
    return greeting;
  }

  /** Runs one command and returns what it says. */
  String run(String command) throws IOException {
    process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
    return untilPrompt();
  }

  private String untilPrompt() throws IOException {
    StringBuilder said = new StringBuilder();
    InputStream out = process.getInputStream();
    for (int c = out.read(); c >= 0; c = out.read()) {
      said.append((char) c);
      if (said.toString().endsWith(PROMPT)) {
        break;
      }
    }
    return said.toString();
  }

  @Override
  public void close() throws IOException {
    process.getOutputStream().close();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      throw new IOException(e);
    }
  }
}

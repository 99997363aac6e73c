package io.vdisk.tools;

import io.vdisk.backend.tap.control.ControlFolder;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The program {@code tapdisk}, as others start it.
 *
 * @param path where it is
 */
record TapdiskProgram(Path path) {
  /** The variable of the environment with another program, as tap-ctl of Xen 4.1 had it. */
  private static final String VARIABLE = "TAPDISK2";

  /** The variable in which a launcher tells in which folder it lies. */
  private static final String BESIDE = "VDISK_BIN";

  /** The name of a control socket, which a tapdisk prints once it can be commanded. */
  private static final Pattern SOCKET = Pattern.compile("/.*/ctl([0-9]{1,9})");

  /**
   * The program that the environment names, or the one beside the launcher.
   *
   * @throws DiskException with ENOENT if there is none
   */
  static TapdiskProgram of(Map<String, String> environment) throws DiskException {
    String named = environment.getOrDefault(VARIABLE, "");
    String beside = environment.getOrDefault(BESIDE, "");
    if (named.isEmpty() && beside.isEmpty()) {
      throw new DiskException(
          Errno.ENOENT, "no tapdisk lies beside this program; " + VARIABLE + " can name one");
    }
    Path path = named.isEmpty() ? Path.of(beside, "tapdisk") : Path.of(named);
    if (!Files.isExecutable(path)) {
      throw new DiskException(Errno.ENOENT, path + " is no program");
    }
    return new TapdiskProgram(path);
  }

  /**
   * Starts a process that takes its commands from pipes. It tells nothing: it answers, or not.
   *
   * @param read the pipe that it reads
   * @param write the pipe that it writes
   * @param log the file of its log, if it has one
   */
  void serve(Path read, Path write, Optional<String> log) throws DiskException {
    try {
      ProcessBuilder builder =
          new ProcessBuilder(path.toString(), read.toString(), write.toString())
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD);
      // It is the daemon's launcher that waits, not this one's.
      builder.environment().remove(Startup.VARIABLE);
      log.ifPresent(file -> builder.environment().put(Tapdisk.LOG, file));
      builder.start().getOutputStream().close();
    } catch (IOException e) {
      throw new DiskException(Errno.ENOENT, path + " cannot be started", e);
    }
  }

  /**
   * Starts a process in the background and waits until it can be commanded.
   *
   * @param compatible the release whose messages it shall speak, or "today"
   * @return its number
   * @throws DiskException with its exit code and what it printed, if it ends instead
   */
  int spawn(ControlFolder folder, String compatible) throws DiskException {
    ProcessBuilder builder = new ProcessBuilder(path.toString()).redirectErrorStream(true);
    builder.environment().remove(Startup.VARIABLE);
    builder.environment().put(ControlFolder.VARIABLE, folder.path().toAbsolutePath().toString());
    builder.environment().put(TapCtl.COMPATIBLE, compatible);
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      try (BufferedReader printed =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        StringBuilder rest = new StringBuilder();
        for (String line = printed.readLine(); line != null; line = printed.readLine()) {
          Matcher socket = SOCKET.matcher(line);
          if (socket.matches()) {
            return Integer.parseInt(socket.group(1));
          }
          rest.append(rest.length() == 0 ? "" : "; ").append(line);
        }
        int code = process.waitFor();
        throw new DiskException(
            code == 0 ? Errno.EINVAL.number() : code,
            rest.length() == 0 ? path + " ended with exit code " + code : rest.toString());
      }
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(Errno.ENOENT, path + " cannot be started", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DiskException(Errno.EINTR, "interrupted", e);
    }
  }
}

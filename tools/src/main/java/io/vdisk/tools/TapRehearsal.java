package io.vdisk.tools;

import io.vdisk.backend.tap.control.ControlFolder;
import io.vdisk.backend.tap.control.ControlServer;
import io.vdisk.backend.tap.control.Generation;
import io.vdisk.backend.tap.control.GuestRings;
import io.vdisk.backend.tap.control.TapDisks;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskPolicy;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Runs each command of tap-ctl once, against a tapdisk in this JVM, as {@link Rehearsal} does. */
final class TapRehearsal {
  private TapRehearsal() {}

  /**
   * Plays with a raw disk in a folder. Where a socket or a lock cannot be had nothing is played:
   * that costs a later start some time, and no more.
   */
  static void run(Path folder, Path raw) throws IOException {
    Path meeting = folder.resolve("tap");
    long pid = ProcessHandle.current().pid();
    ControlServer server;
    try {
      server =
          ControlServer.open(
              new ControlFolder(meeting),
              pid,
              Generation.TODAY,
              ControlServer.TIMEOUT,
              new TapDisks(DiskPolicy.DEFAULT),
              GuestRings.none());
    } catch (DiskException e) {
      delete(meeting);
      return;
    }
    Thread serving = new Thread(() -> serve(server), "rehearsal");
    serving.start();
    play(meeting, "-p" + pid, raw);
    server.close();
    delete(meeting);
  }

  private static void serve(ControlServer server) {
    try {
      server.run();
    } catch (IOException e) {
      // Only what was played last could be missing.
      assert e != null;
    }
  }

  private static void play(Path folder, String process, Path raw) {
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    Console console =
        new Console(
            InputStream.nullInputStream(),
            nowhere,
            nowhere,
            false,
            Map.of(ControlFolder.VARIABLE, folder.toString()));
    for (String line :
        List.of(
            "allocate",
            "attach P -m0",
            "open P -m0 -a DISK",
            "list",
            "stats P -m0",
            "pause P -m0",
            "unpause P -m0",
            "close P -m0",
            "detach P -m0",
            "free -m0")) {
      List<String> words =
          Arrays.stream(line.split(" "))
              .map(word -> word.equals("P") ? process : word)
              .map(word -> word.equals("DISK") ? "aio:" + raw : word)
              .toList();
      if (TapCtl.run(words, console) != 0) {
        return;
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

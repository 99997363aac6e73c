package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.backend.tap.JavaProcess;
import io.vdisk.backend.tap.disk.DiskException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PidFileTest {
  @TempDir Path folder;

  /** A daemon of its own: takes the file, says so, and goes on until its input ends. */
  static final class Daemon {
    private Daemon() {}

    public static void main(String[] args) throws IOException {
      try (PidFile file = PidFile.take(Path.of(args[0]), 4711)) {
        System.out.print(file == null ? "" : "x");
        System.out.flush();
        System.in.read();
      }
    }
  }

  private void isRefused(Path file) {
    DiskException refusal = assertThrows(DiskException.class, () -> PidFile.take(file, 7));
    assertEquals(16, refusal.number());
    assertEquals("blktapctrl runs already, as process 4711 in " + file, refusal.sentence());
  }

  @Test
  @SuppressWarnings("try") // to be held is all that it must be
  void thereIsOneDaemonAtATime() throws IOException {
    Path file = folder.resolve("pid");
    try (PidFile unused = PidFile.take(file, 4711)) {
      assertEquals("4711\n", Files.readString(file));
      isRefused(file);
    }
    try (PidFile unused = PidFile.take(file, 8)) {
      assertEquals("8\n", Files.readString(file));
    }
    assertEquals("", Files.readString(file));
  }

  @Test
  void daemonThatIsKilledIsNoneAnyLonger() throws IOException, InterruptedException {
    Path file = folder.resolve("pid");
    Process daemon = JavaProcess.start(Daemon.class, file.toString()).process();
    try {
      assertEquals('x', daemon.getInputStream().read());
      isRefused(file);
    } finally {
      daemon.destroyForcibly().waitFor();
    }
    PidFile.take(file, 8).close();
  }
}

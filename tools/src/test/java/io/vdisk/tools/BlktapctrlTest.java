package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.control.BlktapDevices;
import io.vdisk.backend.tap.control.ControlledDisk;
import io.vdisk.backend.tap.control.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class BlktapctrlTest {
  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
    shell.environment.put("TAPDISK2", "/bin/sh");
  }

  private int run(String... words) {
    return shell.run(Blktapctrl::run, words);
  }

  @Test
  void missingDevicesAreToldClearly() {
    assertEquals(19, run("-D", "--pipes", "/tap"));
    assertEquals(
        "blktapctrl: /dev/xen/blktap0 is missing: this kernel has no blktap, and no guest can be"
            + " reached\n",
        shell.err);
  }

  /** Devices that are there, of which none is ever asked for. */
  private static final class Devices implements BlktapDevices {
    @Override
    public void check() {}

    @Override
    public int create(int domain, int device) {
      throw new AssertionError("asked for a device");
    }

    @Override
    public void free(int minor) {
      throw new AssertionError("a device came back");
    }

    @Override
    public void connect(int minor, ControlledDisk disk) {
      throw new AssertionError("a device is served");
    }

    @Override
    public void disconnect(int minor) {
      throw new AssertionError("a device is left");
    }
  }

  @Test
  @SuppressWarnings("try") // to be held is all that it must be
  void secondDaemonIsRefused() throws IOException {
    try (PidFile unused = PidFile.take(shell.file("/pid"), 4711)) {
      int code =
          shell.run(
              (words, console) -> Blktapctrl.run(words, console, new Devices()),
              "-D",
              "--pid-file",
              "/pid",
              "--pipes",
              "/tap");
      assertEquals(16, code);
      assertEquals("blktapctrl: blktapctrl runs already, as process 4711 in /pid\n", shell.err);
      assertFalse(Files.exists(shell.file("/tap")));
    }
  }

  @Test
  void commandsWantADaemon() {
    for (String[] words : new String[][] {{"list"}, {"detach", "1"}, {"attach", "-r", "aio:x"}}) {
      String[] all = new String[words.length + 2];
      System.arraycopy(words, 0, all, 0, words.length);
      all[words.length] = "--pipes";
      all[words.length + 1] = "/tap";
      assertEquals(111, run(all));
      assertEquals("blktapctrl: no blktapctrl answers at /tap/blktapctrl.socket\n", shell.err);
    }
  }

  @Test
  void misuseIsToldWithTheUsage() {
    assertEquals(22, run("attach"));
    assertTrue(
        shell.err.startsWith("blktapctrl: unknown or incomplete command 'attach'\nusage: "),
        shell.err);
    assertEquals(22, run("--compat", "2.0", "--pipes", "/tap"));
    assertTrue(shell.err.startsWith("blktapctrl: --compat is 3.0.3"), shell.err);
    assertEquals(0, run("--help"));
    assertTrue(shell.out.startsWith("usage: blktapctrl [-D]"), shell.out);
    assertEquals(0, run("--version"));
  }
}

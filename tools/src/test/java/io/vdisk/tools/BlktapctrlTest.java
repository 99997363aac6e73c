package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.SharedFileFrontend;
import io.vdisk.backend.tap.SharedFileLayout;
import io.vdisk.backend.tap.control.BlktapDevices;
import io.vdisk.backend.tap.control.ControlledDisk;
import io.vdisk.backend.tap.control.PidFile;
import io.vdisk.testkit.Requirements;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
              (words, console) -> Blktapctrl.run(words, console, new SignalledEnd(), new Devices()),
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

  /** A daemon in a thread of its own, whose streams can be read while it runs. */
  private final class Daemon implements AutoCloseable {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final ExecutorService pool = Executors.newSingleThreadExecutor();
    private final SignalledEnd signalled = new SignalledEnd();
    private final Future<Integer> end;

    private Daemon(Path store) {
      Map<String, String> environment = new HashMap<>(shell.environment);
      environment.put("XENSTORED_PATH", store.toString());
      Console console =
          new Console(
              InputStream.nullInputStream(),
              new PrintStream(out, true, StandardCharsets.UTF_8),
              new PrintStream(err, true, StandardCharsets.UTF_8),
              false,
              environment);
      List<String> words =
          List.of("-D", "--pid-file", "" + shell.file("/pid"), "--pipes", "" + shell.file("/tap"));
      end = pool.submit(() -> Blktapctrl.run(words, console, signalled, new Devices()));
    }

    private String text(ByteArrayOutputStream stream) {
      return stream.toString(StandardCharsets.UTF_8).replace(shell.folder.toString(), "");
    }

    /** Returns when a line that begins so was printed, and no other. */
    private void awaitTrouble(String start) {
      String printed = text(err);
      while (!printed.endsWith("\n")) {
        Thread.onSpinWait();
        printed = text(err);
      }
      assertTrue(printed.startsWith(start), printed);
    }

    /** Ends it by a signal, and tells what it had printed. */
    private String end() throws InterruptedException, ExecutionException {
      signalled.signal();
      assertEquals(0, end.get(), text(err));
      return text(out);
    }

    @Override
    public void close() {
      List<Runnable> unused = pool.shutdownNow();
    }
  }

  /** Asks until there is a daemon, which has no disk. */
  private void list() {
    list("");
  }

  /** Asks until there is a daemon; its list ends so. */
  private void list(String end) {
    while (run("--pipes", "/tap", "list") == 111) {
      Thread.onSpinWait();
    }
    assertTrue(end.isEmpty() ? shell.out.isEmpty() : shell.out.endsWith(end), shell.out);
    assertEquals("", shell.err);
  }

  @Test
  void storeAndCommandsAreServedBesideEachOther() throws Exception {
    String device = "/local/domain/0/backend/tap/7/51712";
    SimulatedXenStore store = SimulatedXenStore.open(shell.folder);
    try (store;
        Daemon daemon = new Daemon(store.socket())) {
      store.write(
          device,
          List.of(
              "frontend-id=7",
              "frontend=/local/domain/7/device/vbd/51712",
              "mode=w",
              "params=tapdisk:aio:" + shell.file("/none")));
      store.await(device + "/hotplug-status", "error");
      assertEquals(Optional.of("File not found."), store.find(device + "/hotplug-error"));
      list();
      store.close();
      daemon.awaitTrouble("blktapctrl: Xen's store asks for no more disks: ");
      list();
      assertEquals(
          "blktapctrl serves Xen's store, and commands at /tap/blktapctrl.socket\n", daemon.end());
    }
  }

  @Test
  void commandsAreServedWhereThereIsNoStore() throws Exception {
    try (Daemon daemon = new Daemon(shell.file("/nobody"))) {
      list();
      String line = daemon.end();
      assertTrue(
          line.startsWith(
              "blktapctrl serves commands at /tap/blktapctrl.socket, and no store: xenstored does"
                  + " not answer at /nobody: "),
          line);
    }
  }

  /** Starts a class with a main method in a process of its own, with words before those it gets. */
  private Path program(String name, String... words) throws IOException {
    Path program = shell.file("/" + name);
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classes =
        (System.getProperty("java.class.path") + ":" + System.getProperty("jdk.module.path", ""))
            + (":" + Path.of("target", "test-classes").toAbsolutePath());
    Files.writeString(
        program,
        ("#!/bin/sh\nexec '" + java + "' -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '")
            + (classes + "' " + PlayedBlktap.class.getName() + " " + String.join(" ", words))
            + " \"$@\"\n");
    assertTrue(program.toFile().setExecutable(true));
    return program;
  }

  /** The daemon as a process, which starts tapdisks as processes. */
  private Process startDaemon(Path store) throws IOException {
    String folder = shell.folder.toString();
    Path tapdisk = program("tapdisk", "tapdisk", folder);
    Path daemon = program("blktapctrl", "blktapctrl", folder);
    ProcessBuilder builder =
        new ProcessBuilder(
            List.of(
                    daemon.toString(),
                    "-D",
                    "--log",
                    folder + "/log",
                    "--pid-file",
                    folder + "/pid")
                .toArray(String[]::new));
    builder.command().addAll(List.of("--pipes", folder + "/tap"));
    builder.environment().put("TAPDISK2", tapdisk.toString());
    builder.environment().put("XENSTORED_PATH", store.toString());
    Process process = builder.start();
    assertEquals(
        "blktapctrl serves Xen's store, and commands at " + folder + "/tap/blktapctrl.socket",
        process.inputReader().readLine());
    return process;
  }

  @Test
  @Timeout(value = 20, threadMode = ThreadMode.SEPARATE_THREAD)
  void commandThatGetsNoAnswerIsEndedByASignal() throws Exception {
    Path pipes = Files.createDirectory(shell.file("/tap"));
    Path program = program("blktapctrl", "blktapctrl", shell.folder.toString());
    try (ServerSocketChannel silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      silent.bind(UnixDomainSocketAddress.of(pipes.resolve("blktapctrl.socket")));
      Process process =
          new ProcessBuilder(program.toString(), "--pipes", pipes.toString(), "list").start();
      try (SocketChannel client = silent.accept()) {
        assertTrue(client.isConnected());
        process.destroy();

        assertEquals(128 + 15, process.waitFor());
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private static List<String> nodes(String params) {
    return List.of(
        "frontend-id=7", "frontend=/local/domain/7/device/vbd/51712", "mode=w", "params=" + params);
  }

  /** From the toolstack's nodes to what a guest wrote, each program being a process of its own. */
  @Test
  void diskOfXensStoreIsServedToAGuestUntilItsNodesAreRemoved() throws Exception {
    Requirements.need("mkfifo");
    String device = "/local/domain/0/backend/tap/7/51712";
    Path image = shell.file("/d.qcow2");
    Images.create(image, CreateOptions.of("qcow2", 4 << 20)).close();
    Process process = null;
    try (SimulatedXenStore store = SimulatedXenStore.open(shell.folder)) {
      process = startDaemon(store.socket());
      store.write(device, nodes("tapdisk:qcow2:" + image));
      store.await(device + "/hotplug-status", "connected");
      List<String> written = store.takeWritten();
      assertEquals(
          List.of(
              device + "/sectors=8192",
              device + "/sector-size=512",
              device + "/info=0",
              device + "/hotplug-status=connected"),
          written.subList(written.size() - 4, written.size()),
          "and nothing else after the toolstack's own: " + written);
      assertEquals("7/51712", Files.readString(shell.file("/blktap1/guest")));
      list(" sectors=8192 args=qcow2:/d.qcow2\n");
      long tapdisk = Long.parseLong(shell.out.replaceAll("(?s).* pid=(\\d+) .*", "$1"));
      CompletableFuture<ProcessHandle> tapdiskEnd =
          ProcessHandle.of(tapdisk).orElseThrow().onExit();
      try (SharedFileFrontend guest =
          SharedFileFrontend.connect(
              PlayedBlktap.socket(shell.folder, 1),
              shell.file("/guest"),
              new SharedFileLayout(RingAbi.ofHost(), 1, 1))) {
        guest.data().putLong(0, 4711);
        ask(guest, 1);
        guest.data().putLong(0, 0);
        ask(guest, 0);
        assertEquals(4711, guest.data().getLong(0));
      }
      store.remove(device);
      tapdiskEnd.join();
      list("");
      store.write(device, nodes("aio:" + shell.file("/none")));
      store.await(device + "/hotplug-status", "error");

      process.destroy();

      assertEquals(0, process.waitFor());
    } finally {
      if (process != null) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    }
    try (BlockDevice disk = Images.open(image, OpenOptions.readOnly().withFormat("qcow2"))) {
      ByteBuffer page = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
      disk.read(page, 64 * 512);
      assertEquals(4711, page.getLong(0));
    }
    List<String> log = Files.readAllLines(shell.file("/log"));
    assertTrue(
        log.stream()
            .anyMatch(
                line ->
                    line.matches(
                        "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d WARNING domain 7, device 51712"
                            + " \\(tap\\): File not found\\.")),
        log::toString);
    assertTrue(
        log.stream().anyMatch(line -> line.contains(" INFO s, guest 1: ")),
        "its tapdisk's log, too: " + log);
  }

  /** One page at sector 64. */
  private static void ask(SharedFileFrontend guest, int operation) throws IOException {
    guest.ring().next().operation(operation, 64).segment(0, 0, 7);
    guest.ring().put();
    guest.ring().publish();
    guest.ringBell();
    while (guest.ring().waiting() == 0 && guest.ring().mayAwaitResponses()) {
      assertTrue(guest.await(), "the tapdisk has gone");
    }
    assertEquals(0, guest.ring().take().status());
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

package io.vdisk.tools;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.SharedFileFrontend;
import io.vdisk.backend.tap.SharedFileLayout;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Processes of their own, on the class path of this test. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class TapdiskTest {
  @TempDir Path folder;
  private Shell shell;
  private long pid;

  @BeforeEach
  void install() throws IOException {
    Requirements.need("flock");
    Requirements.need(Files.isExecutable(Path.of("/bin/sh")), "needs a POSIX shell");
    shell = new Shell(folder.toRealPath());
    shell.environment.put("VDISK_TAP_FOLDER", shell.folder + "/run");
    shell.environment.put("TAPDISK2", program(Tapdisk.class).toString());
  }

  /** Starts a class with a main method. */
  private Path program(Class<?> main) throws IOException {
    Path program = shell.folder.resolve("tapdisk");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Path tests = Path.of("target", "test-classes").toAbsolutePath();
    Files.writeString(
        program,
        ("#!/bin/sh\nexec '" + java + "' -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '")
            + (System.getProperty("java.class.path") + ":" + modulePath() + ":" + tests)
            + ("' " + main.getName() + " -D \"$@\"\n"));
    assertTrue(program.toFile().setExecutable(true));
    return program;
  }

  /** Where Maven puts the modules. */
  private static String modulePath() {
    return System.getProperty("jdk.module.path", "");
  }

  @AfterEach
  void stop() throws IOException, InterruptedException, ExecutionException, TimeoutException {
    if (pid != 0) {
      kill(pid);
    }
    Path run = folder.resolve("run");
    if (Files.isDirectory(run)) { // where a test that failed may have left one that it did not know
      try (DirectoryStream<Path> sockets = Files.newDirectoryStream(run, "ctl*")) {
        for (Path socket : sockets) {
          kill(Long.parseLong(socket.getFileName().toString().substring(3)));
        }
      }
    }
  }

  private static void kill(long process)
      throws InterruptedException, ExecutionException, TimeoutException {
    ProcessHandle.of(process).ifPresent(ProcessHandle::destroyForcibly);
    awaitEnd(process);
  }

  private void awaitEnd() throws InterruptedException, ExecutionException, TimeoutException {
    awaitEnd(pid);
  }

  private static void awaitEnd(long process)
      throws InterruptedException, ExecutionException, TimeoutException {
    CompletableFuture<ProcessHandle> end =
        ProcessHandle.of(process)
            .map(ProcessHandle::onExit)
            .orElseGet(() -> CompletableFuture.completedFuture(null));
    end.get(60, TimeUnit.SECONDS);
  }

  private String tap(String... words) {
    assertEquals(0, shell.run(TapCtl::run, words), shell.err);
    return shell.out;
  }

  private void spawn() {
    pid = Long.parseLong(tap("spawn").strip());
  }

  private Path vhd() throws IOException {
    Path image = shell.folder.resolve("d.vhd");
    try (BlockDevice made = Images.create(image, CreateOptions.of("vhd", 4 << 20))) {
      made.flush();
    }
    return image;
  }

  /** The commands of the documents, in their order, with what they print. */
  @Test
  void nineCommandsOfTheDocuments()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    Path vhd = vhd();
    Path raw = Files.write(shell.folder.resolve("d.raw"), new byte[8192]);

    assertEquals("/run/tapdisk/tapdisk-0\n", tap("allocate"));
    spawn();
    String process = Long.toString(pid);
    assertEquals("", tap("attach", "-p", process, "-m", "0"));
    assertEquals("", tap("open", "-p", process, "-m", "0", "-a", "vhd:" + vhd));
    assertEquals("pid=" + pid + " minor=0 state=0 args=vhd:/d.vhd\n", tap("list"));
    assertTrue(
        tap("stats", "-p", process, "-m", "0").contains("\"driver\": { \"type\": 4, \"name\": "));
    assertEquals("", tap("close", "-p", process, "-m", "0"));
    assertEquals("", tap("open", "-p", process, "-m", "0", "-a", "aio:" + raw));
    assertEquals("pid=" + pid + " minor=0 state=0 args=aio:/d.raw\n", tap("list"));
    assertEquals("", tap("close", "-p", process, "-m", "0"));
    assertEquals("", tap("detach", "-p", process, "-m", "0"));
    awaitEnd();
    assertEquals("", tap("free", "-m", "0"));
    assertEquals("", tap("list"));
  }

  @Test
  void sameCommandsOfXen41()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    shell.environment.put("VDISK_TAP_COMPAT", "4.1");
    assertEquals("/dev/xen/blktap-2/tapdev0\n", tap("allocate"));
    String spawned = tap("spawn");
    assertTrue(spawned.matches("tapdisk spawned with pid \\d+\n"), spawned);
    String process = spawned.replaceAll("\\D", "");
    pid = Long.parseLong(process);
    assertEquals("", tap("attach", "-p", process, "-m", "0"));
    assertEquals("", tap("open", "-p", process, "-m", "0", "-a", "vhd:" + vhd()));
    assertEquals("pid=" + pid + " minor=0 state=0 args=vhd:/d.vhd\n", tap("list"));
    assertEquals("", tap("close", "-p", process, "-m", "0"));
    assertEquals("", tap("detach", "-p", process, "-m", "0"));
    awaitEnd();
    assertEquals("", tap("free", "-m", "0"));
  }

  @Test
  void signalToEndClosesTheDisks()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    tap("create", "-a", "vhd:" + vhd());
    pid = Long.parseLong(shell.run(TapCtl::run, "list") == 0 ? firstPid() : "0");

    assertTrue(ProcessHandle.of(pid).orElseThrow().destroy());

    awaitEnd();
    assertFalse(Files.exists(shell.folder.resolve("run/ctl" + pid)));
    assertEquals("minor=0\n", tap("list"));
    tap("free", "-m", "0");
  }

  /** A child of this process, which sees how it ends. */
  private Process start(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of(shell.environment.get("TAPDISK2")));
    command.addAll(List.of("--folder", shell.folder + "/run"));
    command.addAll(List.of(words));
    Process process = new ProcessBuilder(command).start();
    pid = process.pid();
    assertTrue(process.inputReader().readLine().endsWith("/ctl" + pid));
    return process;
  }

  private void open(int minor, String disk) {
    String process = Long.toString(pid);
    tap("allocate");
    tap("attach", "-p", process, "-m", "" + minor);
    tap("open", "-p", process, "-m", "" + minor, "-a", disk);
  }

  @Test
  void signalToEndIsNoFailureIfAllWasClosedWell() throws Exception {
    Process tapdisk = start();
    open(0, "vhd:" + vhd());

    tapdisk.destroy();

    assertEquals(0, tapdisk.waitFor());
  }

  @Test
  void diskWhoseHostNeverAnswersIsNamedInTheLogAtTheEndAndTheOthersAreClosed() throws Exception {
    Path raw = Files.write(shell.folder.resolve("stuck"), new byte[8192]);
    Path image = shell.folder.resolve("d.qcow2");
    Images.create(image, CreateOptions.of("qcow2", 64 << 20)).close();
    program(StuckTapdisk.class);
    Process tapdisk = start("--log", shell.folder + "/log");
    open(0, "aio:" + raw);
    open(1, "qcow2:" + image);
    try (SharedFileFrontend guest = guest(1)) {
      write(guest, 1);

      tapdisk.destroy();

      assertEquals(5, tapdisk.waitFor());
    }
    assertHolds(image, 1);
    List<String> log = Files.readAllLines(shell.folder.resolve("log"));
    assertEquals(
        List.of(
            "tapdisk: minor 0 (aio:"
                + raw
                + ") is not closed: its host has not answered for 1 s; what its guest flushed"
                + " is safe"),
        log.stream().filter(line -> line.startsWith("tapdisk:")).toList(),
        log::toString);
  }

  @Test
  void whatHappensToAGuestIsALineEachInTheLog() throws Exception {
    Path raw = Files.write(shell.folder.resolve("d.raw"), new byte[8192]);
    Process tapdisk = start("--log", shell.folder + "/none", "--log=" + shell.folder + "/log");
    open(0, "aio:" + raw);
    try (SharedFileFrontend guest = guest(0);
        FileChannel memory = FileChannel.open(shell.folder.resolve("guest0"), WRITE)) {
      ByteBuffer wild = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(0, 5000);
      memory.write(wild, 4096);
      guest.ringBell();
      assertFalse(guest.await(), "it is let go of");
    }
    tap("destroy", "-p", Long.toString(pid), "-m", "0");
    assertEquals(0, tapdisk.waitFor());
    String time = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d ";
    List<String> log = Files.readAllLines(shell.folder.resolve("log"));
    assertEquals(
        Set.of(
            "INFO ring0, guest 1: connected",
            "WARNING ring0, guest 1: given up: the guest's ring of 32 entries says that 5000"
                + " requests have no response",
            "INFO ring0, guest 1: disconnected"),
        log.stream().map(line -> line.replaceFirst("^" + time, "")).collect(Collectors.toSet()));
    assertTrue(log.stream().allMatch(line -> line.matches(time + ".*")), log::toString);
  }

  /** A tapdisk has a folder of its own. */
  @Test
  void relativeNamesAreThoseOfWhoCommands() throws Exception {
    vhd();
    Path here = Path.of("").toAbsolutePath();
    String relative = "vhd:" + here.relativize(shell.folder.resolve("d.vhd"));

    tap("create", "-a", relative);

    assertTrue(tap("list").contains("args=vhd:" + here + "/.."), shell.out);
    pid = Long.parseLong(firstPid());
    tap("pause", "-p", "" + pid, "-m", "0");
    tap("unpause", "-p", "" + pid, "-m", "0", "-a", relative);
    assertTrue(tap("list").contains("args=vhd:" + here + "/.."), shell.out);
  }

  private String firstPid() {
    return shell.out.replaceAll("pid=(\\d+) (?s).*", "$1");
  }

  @Test
  void killedProcessLeavesItsMinorFree()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    tap("create", "-a", "vhd:" + vhd());
    pid = Long.parseLong(shell.run(TapCtl::run, "list") == 0 ? firstPid() : "0");

    assertTrue(ProcessHandle.of(pid).orElseThrow().destroyForcibly());

    awaitEnd();
    assertEquals("minor=0\n", tap("list"));
    assertEquals(111, shell.run(TapCtl::run, "stats", "-p", Long.toString(pid), "-m", "0"));
  }

  /** The first goes on undisturbed: it writes afterwards what the image holds in the end. */
  @Test
  void secondProcessOnAnImageIsRefusedAndTheFirstIsUndisturbed() throws Exception {
    Path image = shell.folder.resolve("d.qcow2");
    Images.create(image, CreateOptions.of("qcow2", 64 << 20)).close();
    String disk = "qcow2:" + image;
    tap("create", "-a", disk);
    spawn();
    String second = Long.toString(pid);
    tap("allocate");
    tap("attach", "-p", second, "-m", "1");

    assertEquals(16, shell.run(TapCtl::run, "open", "-p", second, "-m", "1", "-a", disk));

    assertEquals(
        "tap-ctl: /d.qcow2 is in use: it is open elsewhere, and only readers share an image\n"
            + "Device or resource busy\n",
        shell.err);
    tap("detach", "-p", second, "-m", "1");
    awaitEnd();
    tap("free", "-m", "1");
    tap("list");
    pid = Long.parseLong(firstPid());
    try (SharedFileFrontend guest = guest(0)) {
      write(guest, 1);
    }
    tap("destroy", "-p", Long.toString(pid), "-m", "0");
    awaitEnd();
    assertHolds(image, 1);
  }

  /** Another disk's guest has requests under way all the time. */
  @Test
  void killedProcessTakesItsOwnDiskDownAndNoOther() throws Exception {
    List<Path> images = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      images.add(shell.folder.resolve("d" + i + ".qcow2"));
      Images.create(images.get(i), CreateOptions.of("qcow2", 64 << 20)).close();
    }
    tap("create", "-a", "qcow2:" + images.get(0));
    tap("list");
    long killed = Long.parseLong(firstPid());
    tap("create", "-a", "qcow2:" + images.get(1));
    tap("list", "-m", "1");
    pid = Long.parseLong(firstPid());
    try (SharedFileFrontend first = guest(0);
        SharedFileFrontend second = guest(1)) {
      write(first, 0);
      write(second, 0);
      assertTrue(ProcessHandle.of(killed).orElseThrow().destroyForcibly());
      assertThrows(IOException.class, () -> write(first, 1), "its own guest has nobody");
      for (int i = 1; i <= 100; i++) {
        write(second, i);
      }
    }
    tap("destroy", "-p", Long.toString(pid), "-m", "1");
    awaitEnd();
    for (int i = 0; i <= 100; i++) {
      assertHolds(images.get(1), i);
    }
  }

  /** The parent is gone afterwards for what was read, and for nothing else. */
  @Test
  void whatAGuestReadsFromAParentIsInTheImageAfterwards() throws Exception {
    Requirements.need("qemu-img");
    byte[] content = shell.disk("/parent.raw", 4 << 20);
    Arrays.fill(content, 1 << 20, 2 << 20, (byte) 7);
    Files.write(shell.file("/parent.raw"), content);
    Path image = shell.file("/d.qcow2");
    CreateOptions overlay =
        CreateOptions.overlay("qcow2", shell.file("/parent.raw").toString(), "raw");
    Images.create(image, overlay.withReferences(ReferencePolicy.any())).close();
    Process tapdisk = start();
    String process = Long.toString(pid);
    tap("allocate");
    tap("attach", "-p", process, "-m", "0");
    tap("open", "-p", process, "-m", "0", "-a", "qcow2:" + image, "-r");

    try (SharedFileFrontend guest = guest(0)) {
      ask(guest, 0, (1 << 20) / 512);
      assertEquals(7, guest.data().get(0));
      assertEquals(7, guest.data().get(4095));
    }

    tap("destroy", "-p", process, "-m", "0");
    assertEquals(0, tapdisk.waitFor());
    assertEquals(0, shell.program("qemu-img", "check", "/d.qcow2"), shell.out);
    shell.program("qemu-img", "map", "--output=json", "/d.qcow2");
    List<String> held = shell.out.lines().filter(line -> line.contains("\"depth\": 0")).toList();
    assertEquals(1, held.size(), shell.out);
    assertTrue(
        held.get(0).contains("\"start\": 1048576, \"length\": 65536, \"depth\": 0"), shell.out);
    Files.write(shell.file("/parent.raw"), new byte[4 << 20]);
    byte[] left = shell.content("/d.qcow2", "qcow2");
    assertEquals(7, left[1 << 20]);
    assertEquals(7, left[(1 << 20) + 65_535]);
    assertEquals(0, left[(1 << 20) + 65_536]);
  }

  private SharedFileFrontend guest(int minor) throws IOException {
    return SharedFileFrontend.connect(
        shell.folder.resolve("run/ring" + minor),
        shell.folder.resolve("guest" + minor),
        new SharedFileLayout(RingAbi.ofHost(), 1, 1));
  }

  /** That {@link #write} wrote this. */
  private static void assertHolds(Path image, int number) throws IOException {
    try (BlockDevice disk = Images.open(image, OpenOptions.readOnly().withFormat("qcow2"))) {
      ByteBuffer page = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
      disk.read(page, number * 600_064L / 512 * 512);
      assertEquals(number + 1, page.getLong(0));
    }
  }

  /** A guest writes where the image's tables must grow, and asks for no flush. */
  @Test
  void guestOutlivesAKilledTapdiskAndLosesNothingThatWasAnswered() throws Exception {
    Path image = shell.folder.resolve("d.qcow2");
    Images.create(image, CreateOptions.of("qcow2", 64 << 20)).close();
    tap("create", "-a", "qcow2:" + image);
    pid = Long.parseLong(shell.run(TapCtl::run, "list") == 0 ? firstPid() : "0");
    Path socket = shell.folder.resolve("run/ring0");
    try (SharedFileFrontend guest =
        SharedFileFrontend.connect(
            socket, shell.folder.resolve("guest"), new SharedFileLayout(RingAbi.ofHost(), 1, 1))) {
      for (int i = 0; i < 100; i++) {
        write(guest, i);
      }
      assertTrue(ProcessHandle.of(pid).orElseThrow().destroyForcibly());
      awaitEnd();
      spawn();
      String process = Long.toString(pid);
      tap("attach", "-p", process, "-m", "0");
      tap("open", "-p", process, "-m", "0", "-a", "qcow2:" + image);
      guest.reconnect(socket);
      write(guest, 100);
      tap("destroy", "-p", process, "-m", "0");
    }
    awaitEnd();
    try (BlockDevice disk = Images.open(image, OpenOptions.readOnly().withFormat("qcow2"))) {
      ByteBuffer page = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
      for (int i = 0; i <= 100; i++) {
        disk.read(page.clear(), i * 600_064L / 512 * 512);
        assertEquals(i + 1, page.getLong(0));
      }
    }
    assertFalse(Files.exists(socket));
  }

  /** It leaves at the same time, and the image is opened for nobody, as another disk. */
  @Test
  void imageOfAKilledTapdiskHasWhatAGuestWasAnsweredThatDoesNotComeBack() throws Exception {
    Path image = shell.folder.resolve("d.qcow2");
    Images.create(image, CreateOptions.of("qcow2", 64 << 20)).close();
    tap("create", "-a", "qcow2:" + image);
    pid = Long.parseLong(shell.run(TapCtl::run, "list") == 0 ? firstPid() : "0");
    try (SharedFileFrontend guest =
        SharedFileFrontend.connect(
            shell.folder.resolve("run/ring0"),
            shell.folder.resolve("guest"),
            new SharedFileLayout(RingAbi.ofHost(), 1, 1))) {
      for (int i = 0; i < 100; i++) {
        write(guest, i);
      }
      assertTrue(ProcessHandle.of(pid).orElseThrow().destroyForcibly());
      awaitEnd();
    }
    spawn();
    String process = Long.toString(pid);
    tap("allocate");
    tap("attach", "-p", process, "-m", "1");
    tap("open", "-p", process, "-m", "1", "-a", "qcow2:" + image);
    tap("destroy", "-p", process, "-m", "1");
    awaitEnd();
    try (BlockDevice disk = Images.open(image, OpenOptions.readOnly().withFormat("qcow2"))) {
      ByteBuffer page = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
      for (int i = 0; i < 100; i++) {
        disk.read(page.clear(), i * 600_064L / 512 * 512);
        assertEquals(i + 1, page.getLong(0));
      }
    }
  }

  /** Writes a page somewhere and waits for the answer. */
  private static void write(SharedFileFrontend guest, int number) throws IOException {
    guest.data().putLong(0, number + 1);
    ask(guest, 1, number * 600_064L / 512);
  }

  /** One page from a sector on. */
  private static void ask(SharedFileFrontend guest, int operation, long sector) throws IOException {
    guest.ring().next().operation(operation, sector).segment(0, 0, 7);
    guest.ring().put();
    guest.ring().publish();
    guest.ringBell();
    while (guest.ring().waiting() == 0 && guest.ring().mayAwaitResponses()) {
      if (!guest.await()) {
        throw new IOException("the server has gone");
      }
    }
    assertEquals(0, guest.ring().take().status());
  }

  /** Its pipes are the tapdisk's, named from the daemon's view; the process is one of its own. */
  @Test
  void tapdiskOfBlktap1TakesItsCommandsFromPipes()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    Requirements.need("mkfifo");
    Path raw = Files.write(shell.folder.resolve("d.raw"), new byte[8192]);
    Path read = shell.folder.resolve("tapctrlread1");
    Path write = shell.folder.resolve("tapctrlwrite1");
    assertEquals(0, shell.program("mkfifo", "/tapctrlread1", "/tapctrlwrite1"), shell.out);
    String program = shell.folder.resolve("tapdisk").toString();
    Process tapdisk = new ProcessBuilder(program, write.toString(), read.toString()).start();
    pid = tapdisk.pid();
    try (FileChannel out = FileChannel.open(write, READ, WRITE);
        FileChannel in = FileChannel.open(read, READ, WRITE)) {
      out.write(message(9, 0, ""));
      ByteBuffer answer = answer(in, 20);
      assertEquals(10, answer.get(0));
      assertEquals(pid, answer.getInt(16));
      out.write(message(1, 7, raw.toString()));
      answer = answer(in, 40);
      assertEquals(2, answer.get(0));
      assertEquals(16, answer.getLong(16), "sectors");
      assertEquals(512, answer.getLong(24));
      out.write(message(4, 7, "\1\0\0"));
      assertEquals(6, answer(in, 16).get(0), "no device can be served here");
      out.write(message(7, 7, ""));
      awaitEnd();
      assertEquals(0, tapdisk.exitValue());
    }
  }

  /** A message of Xen 3.2 and later to the driver "aio". */
  private static ByteBuffer message(int type, int cookie, String body) {
    byte[] bytes = body.isEmpty() ? new byte[0] : (body + "\0").getBytes(StandardCharsets.UTF_8);
    ByteBuffer message = ByteBuffer.allocate(16 + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
    message.putShort((short) type).putShort((short) message.capacity());
    message.putShort((short) 0).putShort((short) cookie).put(16, bytes);
    return message.clear();
  }

  private static ByteBuffer answer(FileChannel in, int count) throws IOException {
    ByteBuffer answer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (answer.hasRemaining()) {
      in.read(answer);
    }
    return answer.flip();
  }

  private int run(String... words) {
    return shell.run(Tapdisk::run, words);
  }

  @Test
  void misuseIsToldWithTheUsage() {
    assertEquals(22, run("-x"));
    assertEquals(
        "tapdisk: unknown option '-x'\n"
            + "usage: tapdisk [-D] [OPTIONS]\n       tapdisk [-D] [OPTIONS] <READ fifo> <WRITE fifo>\n",
        shell.err);
    for (String[] pipes : new String[][] {{"/one"}, {"/one", "/two", "/three"}}) {
      assertEquals(255, run(pipes));
      assertEquals("blktap-utils: v1.0.0\nusage: tapdisk <READ fifo> <WRITE fifo>\n", shell.err);
    }
    assertEquals(2, run("/one", "/two"));
    assertEquals("tapdisk: /one is no pipe\n", shell.err);
    assertEquals(22, run("--compat", "5.0"));
    assertTrue(shell.err.startsWith("tapdisk: --compat is 4.1"), shell.err);
    assertEquals(22, run("--backing-policy", "some"));
    assertEquals(0, run("-h"));
    assertTrue(shell.out.startsWith("usage: tapdisk [-D] [OPTIONS]\n"), shell.out);
    assertEquals(0, run("--version"));
    assertEquals(13, run("-D", "--folder", "/tapdisk"));
    assertTrue(shell.err.startsWith("tapdisk: the folder /tapdisk cannot be made"), shell.err);
  }
}

package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.backend.tap.control.ControlFolder;
import io.vdisk.backend.tap.control.ControlServer;
import io.vdisk.backend.tap.control.Generation;
import io.vdisk.backend.tap.control.GuestRings;
import io.vdisk.backend.tap.control.TapDisks;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.testkit.Requirements;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** The lines and exit codes of tap-ctl, as xapi's were observed, against a server in this JVM. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class TapCtlTest {
  private static final int PID = 4711;
  private static final String OPENING =
      "[-e <minor> stack on existing tapdisk for the parent chain] [-r turn on read caching into"
          + " leaf node] [-2 <path> use secondary image (in mirror mode if no -s)] [-s fail over to"
          + " the secondary image on ENOSPC] [-t request timeout in seconds] [-D no O_DIRECT] ";

  @TempDir Path folder;
  private final ExecutorService pool = Executors.newCachedThreadPool();
  private Shell shell;
  private ControlServer server;

  @BeforeEach
  void start() throws IOException {
    Requirements.need("flock");
    shell = new Shell(folder.toRealPath());
    shell.environment.put("VDISK_TAP_FOLDER", shell.folder + "/run");
    start(Generation.TODAY);
  }

  private void start(Generation generation) throws IOException {
    ControlFolder run = new ControlFolder(shell.folder.resolve("run"));
    server =
        ControlServer.open(
            run,
            PID,
            generation,
            ControlServer.TIMEOUT,
            new TapDisks(DiskPolicy.DEFAULT),
            GuestRings.none());
    pool.submit(
        () -> {
          server.run();
          return 0;
        });
  }

  @AfterEach
  @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
  void stop() {
    server.close();
    pool.shutdownNow();
  }

  private int tap(String... words) {
    return shell.run(TapCtl::run, words);
  }

  /** What a command prints that must succeed. */
  private String printed(String... words) {
    assertEquals(0, tap(words), shell.err);
    assertEquals("", shell.err);
    return shell.out;
  }

  /** A command that must fail with a number, and print its text at last. */
  private void fails(int code, String sentence, String... words) {
    assertEquals(code, tap(words), shell.err);
    assertTrue(shell.err.contains(sentence), shell.err);
    String text = io.vdisk.backend.tap.disk.Errno.describe(code);
    assertTrue(shell.err.endsWith(text + "\n"), shell.err);
  }

  private Path raw(String name, int sectors) throws IOException {
    return Files.write(shell.folder.resolve(name), new byte[sectors * 512]);
  }

  @Test
  void usageIsNoFailure() {
    String usage =
        "usage: tap-ctl COMMAND [OPTIONS]\nCOMMAND := { list | allocate | free | create | destroy"
            + " | spawn | attach | detach | open | close | pause | unpause | stats }\n";
    assertEquals(usage, printed());
    assertEquals(usage, printed("commit", "-p", "1"));
    assertEquals(usage, printed("query"));
    assertTrue(printed("--help").startsWith(usage));
    assertTrue(printed("--version").matches("tap-ctl \\d+\\.\\d+\\S*\n"));
    assertEquals(usage.replace("stats", "major | check"), printed("--compat", "4.1"));
  }

  @Test
  void commandsTellTheirUsage() {
    assertEquals(
        "usage: list [-h] [-p pid] [-m minor] [-t type] [-f file]\n\n"
            + "Lists tapdisks in the following format:\n"
            + "     pid minor state       type file\n",
        printed("list", "-h"));
    assertEquals("usage: allocate\n", printed("allocate", "-h"));
    assertEquals("usage: free <-m minor>\n", printed("free", "-h"));
    assertEquals("usage: spawn\n", printed("spawn", "-h"));
    assertEquals(
        "usage: create <-a type:/path/to/file> [-d device name] [-R readonly] "
            + OPENING
            + "[-C <path/to/logfile> insert log layer to track changed blocks]\n",
        printed("create", "-h"));
    assertEquals(
        "usage: unpause <-p pid> <-m minor> [-a type:/path/to/file] [-2 secondary]"
            + " [-c </path/to/logfile> insert log layer to track changed blocks]\n",
        printed("unpause", "-h"));
    assertEquals(
        "usage: close <-p pid> <-m minor> [-f force] [-t timeout secs]\n", printed("close", "-h"));
  }

  @Test
  void mistakesAreToldAsGetoptDoes() {
    fails(22, "open: option requires an argument -- '2'\nusage: open ", "open", "-p1", "-2");
    assertTrue(shell.err.contains("[-2 <path> use secondary image"), shell.err);
    fails(22, "free: invalid option -- 'x'\nusage: free <-m minor>\n", "free", "-x");
    assertEquals(
        "free: invalid option -- 'x'\nusage: free <-m minor>\nInvalid argument\n", shell.err);
    fails(22, "usage: attach <-p pid> <-m minor>\nInvalid argument\n", "attach", "-p", "1");
    fails(22, "usage: open", "open", "-m0", "-p1");
    fails(22, "-m takes a number, not 'one'", "free", "-m", "one");
    fails(22, "-t takes at most 65535 seconds", "create", "-a", "aio:/x", "-t", "65536");
    assertEquals(22, tap("--compat", "3.0", "list"));
    assertEquals("tap-ctl: --compat is 4.1, 4.2 or today, not 3.0\n", shell.err);
  }

  @Test
  void diskGoesThroughAllItsStates() throws IOException {
    Path disk = raw("d.raw", 16);
    assertEquals("/run/tapdisk/tapdisk-0\n", printed("allocate"));
    assertEquals("pid=4711\nminor=0\n", printed("list"));
    assertEquals("", printed("attach", "-p", "4711", "-m", "0"));
    assertEquals("pid=4711 minor=0 state=0\n", printed("list"));
    assertEquals("", printed("open", "-p4711", "-m0", "-Da", "aio:" + disk));
    assertEquals("pid=4711 minor=0 state=0 args=aio:/d.raw\n", printed("list"));
    assertEquals("", printed("pause", "-p4711", "-m0", "-t", "5"));
    assertEquals("", printed("pause", "-p4711", "-m0"));
    assertEquals("pid=4711 minor=0 state=0x2a args=aio:/d.raw\n", printed("list", "-m", "0"));
    assertEquals("", printed("unpause", "-p4711", "-m0"));
    assertEquals("", printed("limit", "-p4711", "-m0", "-b", "10M:64M", "-i500"));
    assertEquals("", printed("limit", "-p4711", "-m0"));
    assertEquals(22, tap("limit", "-p4711", "-m0", "-b", "10M:0"));
    assertTrue(shell.err.startsWith("a burst is at least 1, not 10M:0\nusage: limit "), shell.err);
    String stats = printed("stats", "-p4711", "-m0");
    assertTrue(stats.startsWith("{ \"name\": \"aio:/d.raw\", \"secs\": [ 0, 0 ], "), stats);
    assertTrue(stats.endsWith(" }\n\n"), stats);
    assertEquals("", printed("close", "-p4711", "-m0"));
    assertEquals("pid=4711 minor=0 state=0x2\n", printed("list", "-p", "4711"));
    assertEquals("", printed("detach", "-p4711", "-m0"));
    server.close();
    assertEquals("minor=0\n", printed("list"));
    assertEquals("", printed("free", "-m0"));
    assertEquals("", printed("list"));
  }

  @Test
  void listHasColumnsForATerminalAndCanBeFiltered() throws IOException {
    printed("allocate");
    printed("allocate");
    printed("attach", "-p4711", "-m1");
    printed("open", "-p4711", "-m1", "-a", "aio:" + raw("d.raw", 8));
    shell.terminal = true;
    assertEquals(
        "    4711    1    0        aio /d.raw\n       -    0    -          - -\n", printed("list"));
    assertEquals("    4711    1    0        aio /d.raw\n", printed("list", "-t", "aio"));
    assertEquals("       -    0    -          - -\n", printed("list", "-m0"));
    assertEquals("", printed("list", "-f", "/other"));
    assertEquals("", printed("list", "-p", "1"));
  }

  @Test
  void failuresHaveTheExitCodesOfXapi() throws IOException {
    Path disk = raw("d.raw", 16);
    String open = "aio:" + disk;
    printed("allocate");
    fails(22, "minor 0 is not attached", "open", "-p4711", "-m0", "-a", open);
    fails(2, "no tapdisk has the socket", "open", "-p1", "-m0", "-a", open);
    fails(2, "minor 5 is not allocated", "free", "-m5");
    printed("attach", "-p4711", "-m0");
    fails(22, "minor 0 is attached already", "attach", "-p4711", "-m0");
    assertEquals("", shell.out);
    fails(11, "is in use", "free", "-m0");
    fails(2, "", "open", "-p4711", "-m0", "-a", "unknown:/x");
    fails(38, "", "open", "-p4711", "-m0", "-a", "nbd:/x");
    fails(22, "", "open", "-p4711", "-m0", "-a", disk.toString());
    fails(2, "", "open", "-p4711", "-m0", "-a", "aio:" + disk + ".none");
    fails(36, "256 bytes", "open", "-p4711", "-m0", "-a", "aio:/" + "a".repeat(251));
    fails(22, "", "unpause", "-p4711", "-m0");
    printed("open", "-p4711", "-m0", "-a", open);
    fails(114, "", "open", "-p4711", "-m0", "-a", open);
    fails(22, "is open", "detach", "-p4711", "-m0");
    assertEquals("got unexpected result 'error' from 4711\n", shell.out);
  }

  @Test
  void keyComesFromStandardInput() throws IOException {
    String[] open = {"open", "-p4711", "-m0", "-E", "-a", "vhd:/x"};
    shell.in = new ByteArrayInputStream(new byte[33]);
    assertEquals(1, tap(open));
    assertEquals("Unsupported keysize, use either 256 bit or 512 bit key\n", shell.err);
    assertEquals(1, tap("open", "-p4711", "-m0", "-EE", "-a", "vhd:/x"));
    assertEquals("Only supply -E once\n", shell.err);
    shell.in = new ByteArrayInputStream(new byte[64]);
    fails(22, "minor 0 is not attached", open);
  }

  @Test
  void encryptedVhdWantsItsKey() throws IOException {
    Path image = Files.write(shell.folder.resolve("c.vhd"), sample("crypt512.vhd"));
    String[] open = {"open", "-p4711", "-m0", "-E", "-a", "vhd:" + image};
    printed("allocate");
    printed("attach", "-p4711", "-m0");
    shell.in = new ByteArrayInputStream(new byte[64]);
    fails(126, "", open);
    shell.in = new ByteArrayInputStream(sample("crypt512,aes-xts-plain,512.key"));
    printed(open);
  }

  private static byte[] sample(String name) throws IOException {
    Path folder = Path.of("../format-vhd/src/test/resources/io/vdisk/format/vhd/samples");
    try (InputStream in = new GZIPInputStream(Files.newInputStream(folder.resolve(name + ".gz")))) {
      return in.readAllBytes();
    }
  }

  @Test
  void vhdIsUnpausedFromAnother() throws IOException {
    for (String name : List.of("a.vhd", "b.vhd", "large.vhd")) {
      int size = name.equals("large.vhd") ? 8 << 20 : 4 << 20;
      try (BlockDevice made =
          Images.create(shell.folder.resolve(name), CreateOptions.of("vhd", size))) {
        made.flush();
      }
    }
    String path = "vhd:" + shell.folder;
    printed("allocate");
    printed("attach", "-p4711", "-m0");
    printed("open", "-p4711", "-m0", "-a", path + "/large.vhd");
    printed("pause", "-p4711", "-m0");
    fails(124, "", "unpause", "-p4711", "-m0", "-a", path + "/a.vhd");
    assertTrue(printed("list").contains(" state=0x22a "), shell.out);
    printed("close", "-p4711", "-m0");
    printed("open", "-p4711", "-m0", "-a", path + "/a.vhd");
    printed("pause", "-p4711", "-m0");
    printed("unpause", "-p4711", "-m0", "-a", path + "/b.vhd");
    assertEquals("pid=4711 minor=0 state=0 args=vhd:/b.vhd\n", printed("list"));
  }

  @Test
  void oldReleaseHasItsOwnLines() throws IOException {
    server.close();
    start(Generation.XEN_4_1);
    shell.environment.put("VDISK_TAP_COMPAT", "4.1");
    String disk = "aio:" + raw("d.raw", 8);
    assertEquals("/dev/xen/blktap-2/tapdev0\n", printed("allocate"));
    assertEquals("/dev/mine\n", printed("allocate", "-d", "/dev/mine"));
    printed("attach", "-p4711", "-m0");
    assertEquals(17, tap("attach", "-p4711", "-m0"));
    assertEquals("tap-ctl: minor 0 is attached already\n", shell.err);
    printed("open", "-p4711", "-m0", "-a", disk);
    printed("pause", "-p4711", "-m0");
    assertEquals("pid=4711 minor=0 state=42 args=aio:/d.raw\nminor=1\n", printed("list"));
    shell.terminal = true;
    assertEquals(
        "    4711  0   2a        aio /d.raw\n       -  1    -          - -\n", printed("list"));
    assertEquals(95, tap("stats", "-p4711", "-m0"));
    printed("unpause", "-p4711", "-m0");
    printed("destroy", "-p4711", "-m0");
  }

  @Test
  void majorIsTheKernelModules() {
    assertEquals(38, tap("major"));
    assertEquals("blktap kernel module not installed\n", shell.out);
    shell.environment.put("VDISK_TAP_COMPAT", "4.1");
    assertEquals(218, tap("major"));
    assertEquals(22, tap("major", "-c"));
  }

  @Test
  void checkWantsAFolderAndAProgram() throws IOException {
    fails(2, "no tapdisk lies beside this program", "check");
    shell.environment.put("TAPDISK2", "/bin/sh");
    assertEquals("ok\n", printed("check"));
    assertEquals("", printed("list", "-m", "0"), "the minor that was tried is free again");
    Files.createFile(shell.folder.resolve("f"));
    fails(13, "cannot be made", "--folder", "/f", "check");
  }

  @Test
  void spawningSaysWhatTheProgramSays() throws IOException {
    Path program = shell.folder.resolve("tapdisk");
    shell.environment.put("TAPDISK2", program.toString());
    fails(2, "is no program", "spawn");
    Files.writeString(program, "#!/bin/sh\necho it is Sunday >&2\nexit 13\n");
    assertTrue(program.toFile().setExecutable(true));
    fails(13, "tap-ctl: it is Sunday\n", "spawn");
    Files.writeString(program, "#!/bin/sh\necho /elsewhere/ctl99\n");
    assertEquals("99\n", printed("spawn"));
    shell.terminal = true;
    assertEquals("tapdisk spawned with pid 99\n", printed("spawn"));
  }

  @Test
  void whatCannotBeCreatedLeavesNoMinor() throws IOException {
    Path program = shell.folder.resolve("tapdisk");
    shell.environment.put("TAPDISK2", program.toString());
    Files.writeString(program, "#!/bin/sh\necho /elsewhere/ctl4711\n");
    assertTrue(program.toFile().setExecutable(true));
    fails(2, "", "create", "-a", "aio:/nowhere");
    server.close();
    assertEquals("", printed("list"));
    start(Generation.TODAY);

    assertEquals(
        "/run/tapdisk/tapdisk-0\n", printed("create", "-R", "-a", "aio:" + raw("d.raw", 8)));

    assertEquals("pid=4711 minor=0 state=0 args=aio:/d.raw\n", printed("list"));
    printed("destroy", "-p4711", "-m0", "-t", "9");
    assertEquals("", printed("list"));
  }
}

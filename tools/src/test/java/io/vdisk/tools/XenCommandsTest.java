package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.SharedFileFrontend;
import io.vdisk.backend.tap.SharedFileLayout;
import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.xen.DeviceNumber;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** blktapd and the commands that give it work, before a store in memory. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class XenCommandsTest {
  private static final String BACK = "/local/domain/0/backend/vdisk/7/51712";
  private static final String FRONT = "/local/domain/7/device/vbd/51712";

  @TempDir Path folder;
  private final ExecutorService pool = Executors.newCachedThreadPool();
  private final SignalledEnd signalled = new SignalledEnd();
  private SimulatedXenStore store;
  private Shell shell;
  private Shell daemon;

  @BeforeEach
  void begin() throws IOException {
    folder = folder.toRealPath();
    store = SimulatedXenStore.open(folder);
    store.write("/local/domain/0/name", "Domain-0");
    store.write("/local/domain/7/name", "guest");
    shell = new Shell(folder);
    shell.environment.put("XENSTORED_PATH", store.socket().toString());
    daemon = new Shell(folder);
    daemon.environment.putAll(shell.environment);
  }

  @AfterEach
  void end() throws IOException {
    store.close();
    pool.shutdownNow();
  }

  /** The ring of a guest of this process stands for that of a guest of Xen. */
  private TapTransport connect(XenRing ring) throws IOException {
    CompletableFuture<TapTransport> guest = new CompletableFuture<>();
    Path socket = folder.resolve("ring" + ring.port());
    SharedFileListener.Disk disk =
        new SharedFileListener.Disk() {
          @Override
          public DiskInfo info() {
            return new DiskInfo(1, 512, 0);
          }

          @Override
          public void serve(TapTransport transport) {
            guest.complete(transport);
          }
        };
    try (SharedFileListener listener = SharedFileListener.open(socket, disk)) {
      assertTrue(listener != null);
      SharedFileLayout layout = new SharedFileLayout(RingAbi.X86_64, 1, 1);
      SharedFileFrontend unused =
          SharedFileFrontend.connect(socket, folder.resolve("memory" + ring.port()), layout);
      return guest.get(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  private Future<Integer> serve(String... options) {
    List<String> words = new ArrayList<>(List.of("-D", "--folder", folder + "/run"));
    words.addAll(List.of(options));
    return pool.submit(
        () -> daemon.run((none, console) -> Blktapd.run(words, console, signalled, this::connect)));
  }

  private int attach(String... words) {
    return shell.run((said, console) -> BlockAttach.run(console, said), words);
  }

  private int detach(String... words) {
    return shell.run((said, console) -> BlockDetach.run(console, said), words);
  }

  private int list(String... words) {
    return shell.run((said, console) -> BlockList.run(console, said), words);
  }

  private String image() throws IOException {
    Path file = folder.resolve("disk.raw");
    Files.deleteIfExists(file);
    Images.create(file, CreateOptions.of("raw", 1 << 20)).close();
    return "tap:aio:" + file;
  }

  /** Plays the guest's front end until it is connected. */
  private void play() {
    pool.submit(
        () -> {
          store.await(BACK + "/state", "2");
          store.write(FRONT, List.of("ring-ref=8", "event-channel=15", "state=3"));
          store.await(BACK + "/state", "4");
          store.write(FRONT + "/state", "4");
          store.await(BACK + "/state", "5");
          store.write(FRONT + "/state", "6");
          return 0;
        });
  }

  @Test
  void aDiskIsAttachedListedAndDetached() throws Exception {
    Future<Integer> served = serve("--together");
    play();
    assertEquals(0, attach("7", image(), "xvda", "w", "0"), () -> shell.err);
    store.await(FRONT + "/state", "4");
    assertEquals(0, list("guest"), () -> shell.err);
    String[] lines = shell.out.split("\n");
    assertEquals(
        "Vdev BE handle state evt-ch ring-ref BE-path params", lines[0].replaceAll(" +", " "));
    assertEquals("51712 0 7 4 15 8 " + BACK + " aio:/disk.raw", lines[1].replaceAll(" +", " "));
    assertEquals(0, detach("guest", "xvda"), () -> shell.err);
    assertEquals(Optional.empty(), store.find(BACK));
    assertEquals(Optional.empty(), store.find(FRONT));
    store.close();
    assertEquals(5, served.get(30, TimeUnit.SECONDS));
    assertEquals("blktapd: the connection to Xen's store has ended\n", daemon.err);
    assertEquals("blktapd serves vdisk, qdisk, vbd3\n", daemon.out);
  }

  @Test
  void bothHalvesAreWrittenAtOnceAndEachSideMayReadTheOther() throws Exception {
    assertEquals(11, attach("--timeout", "0", "guest", image(), "hdc:cdrom", "r"));
    assertEquals(
        "block-attach: domain 7, device 5632 (vdisk): no blktapd has taken it in 0 s; is one"
            + " running?\n",
        shell.err);
    String back = "/local/domain/0/backend/vdisk/7/5632";
    String front = "/local/domain/7/device/vbd/5632";
    assertEquals(
        List.of(
            front + "=",
            front + "/backend=" + back,
            front + "/backend-id=0",
            front + "/state=1",
            front + "/virtual-device=5632",
            front + "/device-type=cdrom",
            back + "=",
            back + "/frontend=" + front,
            back + "/params=aio:" + folder + "/disk.raw",
            back + "/frontend-id=7",
            back + "/online=1",
            back + "/removable=1",
            back + "/bootable=1",
            back + "/state=1",
            back + "/dev=hdc",
            back + "/type=vdisk",
            back + "/mode=r",
            back + "/device-type=cdrom",
            back + "/discard-enable=1"),
        store.takeWritten());
    assertEquals(List.of("n7", "r0"), store.permissions(front + "/state"));
    assertEquals(List.of("n0", "r7"), store.permissions(back + "/state"));
  }

  @Test
  void aDiskThatXentopIsToShowHasTheTypeForWhichItLooks() throws Exception {
    assertEquals(11, attach("--timeout", "0", "--type", "vbd3", "guest", image(), "xvda", "w"));
    String back = "/local/domain/0/backend/vbd3/7/51712";
    assertEquals(Optional.of("vdisk"), store.find(back + "/type"), "whose it is");
    assertEquals(Optional.of(back), store.find("/local/domain/7/device/vbd/51712/backend"));
    assertEquals(22, attach("--type", "qdisk", "guest", image(), "xvdb", "w"));
    assertTrue(shell.err.startsWith("block-attach: --type is vdisk or vbd3, not 'qdisk'\n"));
  }

  @Test
  void aDiskThatCannotBeServedIsToldAndLeavesNothing() throws Exception {
    Future<Integer> served = serve("--together");
    assertEquals(5, attach("guest", "tap:vhd:/none.vhd", "xvda", "w"));
    assertEquals("block-attach: /none.vhd does not exist\n", shell.err);
    assertEquals(Optional.empty(), store.find(BACK));
    assertEquals(Optional.empty(), store.find(FRONT));
    store.close();
    assertEquals(5, served.get(30, TimeUnit.SECONDS));
  }

  @Test
  void whatIsThereAlreadyIsNotAttachedAgain() throws Exception {
    assertEquals(11, attach("--timeout", "0", "guest", image(), "xvda", "w!"));
    assertEquals(Optional.of("w!"), store.find(BACK + "/mode"));
    assertEquals(17, attach("--timeout", "0", "guest", image(), "51712", "w"));
    assertEquals("block-attach: domain 7 has a device xvda already\n", shell.err);
  }

  @Test
  void aGuestThatDoesNotLetGoIsToldAndMayBeForced() throws Exception {
    assertEquals(11, attach("--timeout", "0", "guest", image(), "xvda", "w"));
    assertEquals(16, detach("--timeout", "0", "guest", "xvda"));
    assertEquals(
        "block-detach: domain 7, device 51712 (vdisk): not let go of in 0 s; is it mounted, or no"
            + " blktapd there?\n",
        shell.err);
    assertEquals(Optional.of("0"), store.find(BACK + "/online"));
    assertEquals(Optional.of("5"), store.find(BACK + "/state"));
    assertEquals(0, detach("-f", "guest", "xvda"));
    assertEquals(Optional.empty(), store.find(BACK));
    assertEquals(19, detach("guest", "xvda"));
    assertEquals("block-detach: domain 7 has no device xvda\n", shell.err);
  }

  @Test
  void aMountedDiskOfThisDomainIsNotTakenAway() throws Exception {
    List<String> mounts =
        List.of("/dev/sda1 / ext4 rw 0 0", "/dev/xvda1 /mnt ext4 rw,relatime 0 0");
    for (String name : List.of("xvda", "xvda1", "sda", "sda1", "hda")) { // Linux names all alike
      DeviceNumber number = DeviceNumber.parse(name);
      IOException e =
          assertThrows(IOException.class, () -> BlockDetach.refuseMounted(number, mounts));
      assertTrue(e.getMessage().endsWith(" is mounted at /mnt; -f takes it away all the same"));
    }
    for (String name : List.of("xvdb", "xvdaa", "sdb", "hdc", "268456447")) {
      BlockDetach.refuseMounted(DeviceNumber.parse(name), mounts);
    }
  }

  @Test
  void misuseIsToldWithTheUsage() {
    assertEquals(22, attach("guest", "aio:/x", "xvda"));
    assertEquals(
        "block-attach: expected 4 or 5 operands, found 3\n"
            + "usage: block-attach DOMAIN BACKDEV FRONTDEV MODE [BACKDOMAIN]\n",
        shell.err);
    assertEquals(22, attach("guest", "aio:/x", "xvda", "q"));
    assertEquals(22, attach("guest", "aio:relative", "xvda", "w"));
    assertEquals("block-attach: 'aio:relative' names no absolute path\n", shell.err);
    assertEquals(22, attach("guest", "aio:/x", "nothing", "w"));
    assertEquals(2, attach("nobody", "aio:/x", "xvda", "w"));
    assertEquals("block-attach: there is no domain 'nobody' in Xen's store\n", shell.err);
    assertEquals(22, list());
    assertEquals(22, detach("guest"));
    for (String option : List.of("--help", "--version")) {
      assertEquals(0, attach(option));
      assertEquals(0, detach(option));
      assertEquals(0, list(option));
    }
  }

  @Test
  void aCommandThatMakesNoSenseChangesNothing() throws Exception {
    assertEquals(22, attach("--timeout", "soon", "guest", image(), "xvda", "w"));
    assertTrue(
        shell.err.startsWith("block-attach: --timeout takes seconds, not 'soon'\nusage: "),
        shell.err);
    assertEquals(Optional.empty(), store.find(BACK));
    assertEquals(Optional.empty(), store.find(FRONT));
  }

  @Test
  void misuseIsToldWhereThereIsNoStore() {
    shell.environment.put("XENSTORED_PATH", folder + "/nobody");
    assertEquals(22, attach());
    assertEquals(22, attach("guest", "aio:/x", "xvda", "q"));
    assertEquals(22, attach("guest", "aio:relative", "xvda", "w"));
    assertEquals(22, attach("--type", "tap", "guest", "aio:/x", "xvda", "w"));
    assertEquals(22, detach("guest"));
    assertEquals(22, detach("guest", "nothing"));
    assertEquals(22, list());
    assertEquals(22, list("--timeout", "5", "guest"));
    assertEquals("block-list: unknown option '--timeout'\nusage: block-list DOMAIN\n", shell.err);
  }

  @Test
  void theDaemonTellsMisuseAndAMissingStore() {
    assertEquals(22, blktapd("--types", "Q"));
    assertTrue(shell.err.startsWith("blktapd: 'Q' is no type of a back end\nusage: "), shell.err);
    assertEquals(22, blktapd("--types", "vdisk,vbd"));
    assertTrue(shell.err.startsWith("blktapd: 'vbd' is what the kernel serves\n"), shell.err);
    assertEquals(22, blktapd("--queues", "65"));
    assertEquals(22, blktapd("--serve", "x", "--folder", "/run"));
    assertEquals(22, blktapd("--folder", "/run"));
    assertTrue(shell.err.startsWith("blktapd: no launcher tells where blktapd is"), shell.err);
    shell.environment.put("XENSTORED_PATH", folder + "/nobody");
    assertEquals(2, blktapd("--together", "--folder", "/run"));
    assertTrue(shell.err.startsWith("blktapd: xenstored does not answer at "), shell.err);
    assertEquals(2, list("guest"));
    assertTrue(shell.err.startsWith("block-list: xenstored does not answer at "), shell.err);
    assertEquals(0, blktapd("--help"));
    assertEquals(0, blktapd("--version"));
  }

  private int blktapd(String... words) {
    return shell.run(
        (said, console) -> Blktapd.run(said, console, signalled, this::connect), words);
  }

  @Test
  void oneDeviceIsServedUntilItHasGone() throws Exception {
    assertEquals(11, attach("--timeout", "0", "guest", image(), "xvda", "w"));
    Future<Integer> served = serve("--serve", BACK);
    play();
    store.await(FRONT + "/state", "4");
    assertEquals(0, detach("guest", "xvda"), () -> shell.err);
    assertEquals(0, served.get(30, TimeUnit.SECONDS));
  }

  @Test
  void aSignalEndsTheDaemonAndItsDisksStayForTheNextOne() throws Exception {
    Future<Integer> served = serve("--together");
    play();
    assertEquals(0, attach("7", image(), "xvda", "w", "0"), () -> shell.err);

    signalled.signal();

    assertEquals(0, served.get(30, TimeUnit.SECONDS));
    assertEquals("", daemon.err);
    assertEquals(Optional.of("4"), store.find(BACK + "/state"));
  }
}

package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.Requirements;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The scripts in {@code bin}, copied beside jars that are made of the classes under test, so that
 * this needs no package built before.
 */
class LauncherTest {
  private static final List<String> SCRIPTS =
      List.of(
          "vdisk",
          "qcow-create",
          "img2qcow",
          "tap-ctl",
          "tapdisk",
          "blktapctrl",
          "launch.sh",
          "serve.sh",
          "jvm.sh");

  private final Map<String, String> environment = new HashMap<>();
  @TempDir Path folder;
  private Path home;
  private Path bin;
  private Path jar;

  @BeforeEach
  void install() throws IOException, InterruptedException {
    jar = Path.of(System.getProperty("java.home"), "bin", "jar");
    Requirements.need(Files.isExecutable(jar), "needs the JDK's jar command");
    Requirements.need(Files.isExecutable(Path.of("/bin/sh")), "needs a POSIX shell");
    home = Files.createDirectories(folder.toRealPath().resolve("a folder/tools"));
    bin = Files.createDirectories(home.resolve("bin"));
    for (String script : SCRIPTS) {
      Files.copy(Path.of("bin", script), bin.resolve(script), StandardCopyOption.COPY_ATTRIBUTES);
    }
    Path library = Files.createDirectories(home.resolve("target/lib"));
    int count = 0;
    for (Path entry : classPath()) {
      String name = entry.getFileName().toString();
      if (Files.isRegularFile(entry)) {
        Files.copy(entry, library.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      } else if (Files.exists(entry.resolve("io/vdisk/tools/Vdisk.class"))) {
        pack(entry, home.resolve("target/tools-0.jar"));
      } else if (!entry.toString().contains("testkit") && !name.equals("test-classes")) {
        pack(entry, library.resolve("classes-" + count++ + ".jar"));
      }
    }
  }

  private static List<Path> classPath() {
    return Stream.of("java.class.path", "jdk.module.path")
        .map(property -> System.getProperty(property, ""))
        .flatMap(path -> Stream.of(path.split(File.pathSeparator)))
        .filter(entry -> !entry.isEmpty())
        .map(Path::of)
        .filter(Files::exists)
        .filter(LauncherTest::isOfTheTools)
        .toList();
  }

  /**
   * What the tools run on, and not what tests do. The modules of this build are folders of classes
   * where Maven goes as far as the tests, and jars where it packages too.
   */
  private static boolean isOfTheTools(Path entry) {
    String name = entry.getFileName().toString();
    return Files.isDirectory(entry)
        || Stream.of(
                "guava-", "failureaccess-", "vdisk-api-", "format-", "backend-tap-", "host-linux-")
            .anyMatch(name::startsWith);
  }

  private void pack(Path classes, Path file) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(jar.toString(), "cf", file.toString(), "-C", classes.toString(), ".")
            .inheritIO()
            .start();
    assertEquals(0, process.waitFor());
  }

  private record Ended(int code, String out, String err) {}

  private Process start(Path directory, String... command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    builder.redirectError(folder.resolve("err").toFile());
    builder.redirectOutput(folder.resolve("out").toFile());
    return builder.start();
  }

  private Ended run(Path directory, String... command) throws IOException, InterruptedException {
    Process process = start(directory, command);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Ended(process.exitValue(), read("out"), read("err"));
  }

  private String read(String name) throws IOException {
    return Files.readString(folder.resolve(name), StandardCharsets.UTF_8);
  }

  @Test
  void toolRunsThroughLinksFromAnywhere() throws IOException, InterruptedException {
    Path elsewhere = Files.createDirectory(folder.resolve("else where"));
    Files.createSymbolicLink(elsewhere.resolve("first"), Path.of("second"));
    Files.createSymbolicLink(elsewhere.resolve("second"), bin.resolve("qcow-create"));

    Ended made = run(elsewhere, "./first", "4", "an image", "--format=qcow2");
    Ended shown = run(bin, "sh", "vdisk", "info", elsewhere.resolve("an image").toString());

    assertEquals(new Ended(0, "", "Creating file size 4194304, name an image\n"), made);
    assertEquals(0, shown.code(), shown.err());
    assertTrue(shown.out().contains("\nfile format: qcow2\n"), shown.out());
  }

  @Test
  void exitCodeIsTheTools() throws IOException, InterruptedException {
    assertEquals(255, run(folder, bin.resolve("img2qcow").toString()).code());
    assertEquals(1, run(folder, bin.resolve("vdisk").toString(), "info", "missing").code());
    assertEquals(0, run(folder, bin.resolve("qcow-create").toString(), "-h").code());
  }

  /** Where the JVM can look for them: to read these holes takes longer than this test waits. */
  @Test
  void holesOfASparseDiskAreNotRead() throws IOException, InterruptedException {
    long size = Runtime.version().feature() < 22 ? 1 << 24 : 1L << 40;
    Path disk = folder.resolve("disk");
    try (FileChannel channel =
        FileChannel.open(disk, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {1}), size - 1);
    }
    Ended converted =
        run(folder, bin + "/vdisk", "convert", "-f", "raw", "-O", "qcow2", "disk", "image");
    assertEquals(new Ended(0, "", ""), converted);
    Ended packed = run(folder, bin + "/img2qcow", "--format=qcow2", "packed", "disk");
    assertEquals(0, packed.code(), packed.err());
  }

  /** Where the JVM under test can ask for it; the launcher would take the newest one. */
  @Test
  void dataIsSharedWhereTheFileSystemCan() throws IOException, InterruptedException {
    String mkfs = Requirements.need("mkfs.xfs").toString();
    Requirements.need("root".equals(System.getProperty("user.name")), "needs root");
    Path image = folder.resolve("xfs");
    try (FileChannel channel =
        FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), 400 << 20);
    }
    assertEquals(0, run(folder, mkfs, "-q", image.toString()).code());
    Path mounted = Files.createDirectory(folder.resolve("mounted"));
    Ended mount = run(folder, "mount", "-o", "loop", image.toString(), mounted.toString());
    Requirements.need(mount.code() == 0, "needs XFS and a loop device: " + mount.err());
    try {
      sharesIn(mounted);
    } finally {
      assertEquals(0, run(folder, "umount", mounted.toString()).code());
    }
  }

  private void sharesIn(Path mounted) throws IOException, InterruptedException {
    environment.put("VDISK_JAVA_HOME", System.getProperty("java.home"));
    byte[] content = new byte[32 << 20];
    new Random(1).nextBytes(content);
    Arrays.fill(content, 8 << 20, 9 << 20, (byte) 0);
    Files.write(mounted.resolve("disk"), content);
    String vdisk = bin.resolve("vdisk").toString();
    long before = Files.getFileStore(mounted).getUsableSpace();
    String[][] conversions = {
      {"-O", "raw", "disk", "copy"},
      {"-O", "qcow2", "disk", "image"},
      {"-O", "raw", "image", "back"}
    };
    for (String[] words : conversions) {
      List<String> command = new ArrayList<>(List.of(vdisk, "convert"));
      if (words[2].equals("disk")) {
        command.addAll(List.of("-f", "raw"));
      }
      command.addAll(List.of(words));
      assertEquals(new Ended(0, "", ""), run(mounted, command.toArray(String[]::new)));
    }
    for (String name : List.of("copy", "back")) {
      assertEquals(-1, Files.mismatch(mounted.resolve("disk"), mounted.resolve(name)));
    }
    long taken = before - Files.getFileStore(mounted).getUsableSpace();
    assertEquals(Runtime.version().feature() >= 22, taken < 8 << 20, taken + " bytes taken");
  }

  @Test
  void environmentChoosesTheJvmAndItsOptions() throws IOException, InterruptedException {
    environment.put("VDISK_JAVA_HOME", System.getProperty("java.home"));
    environment.put("VDISK_JAVA_OPTS", "-Xmx64m  -showversion");
    Ended shown = run(folder, bin.resolve("vdisk").toString(), "--version");
    environment.put("VDISK_JAVA_HOME", folder.toString());
    Ended refused = run(folder, bin.resolve("vdisk").toString(), "--version");

    assertEquals(0, shown.code(), shown.err());
    assertTrue(shown.err().contains(System.getProperty("java.vm.version")), shown.err());
    assertEquals(new Ended(1, "", "vdisk: VDISK_JAVA_HOME names no Java 17 or newer\n"), refused);
  }

  /** Whatever the machine has: a JVM would take a share of that. */
  @Test
  void conversionsTakeLessThan100MebibytesOfMemory() throws IOException, InterruptedException {
    String time = Requirements.need("time").toString();
    environment.put("VDISK_JAVA_HOME", System.getProperty("java.home"));
    byte[] content = new byte[32 << 20];
    new Random(1).nextBytes(content);
    for (int i = 0; i < content.length; i += 2) {
      content[i] = (byte) (i >> 16); // which shrinks, and not to nothing
    }
    Files.write(folder.resolve("disk"), content);
    String vdisk = bin.resolve("vdisk").toString();
    run(folder, vdisk, "convert", "--help"); // makes the archive
    for (String options : new String[] {"", "-c", "-c -m 16", "-c -m 16 -o cluster_size=2M"}) {
      String converted =
          time + " -f %M -o memory '" + vdisk + "' convert -f raw -O qcow2 " + options;
      assertEquals(new Ended(0, "", ""), run(folder, "sh", "-c", converted + " disk image"));
      int taken = Integer.parseInt(Files.readString(folder.resolve("memory")).strip());
      assertTrue(taken < 100 << 10, options + ": " + taken + " KiB");
    }
  }

  @Test
  void whatAnImageOccupiesIsToldWhereTheJvmCanAsk() throws IOException, InterruptedException {
    Files.write(folder.resolve("disk"), new byte[1 << 20]);
    String path = home.resolve("target/tools-0.jar") + ":" + home.resolve("target/lib") + "/*";
    for (boolean enabled : new boolean[] {false, true}) {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      if (enabled) {
        command.add("--enable-native-access=ALL-UNNAMED");
      }
      command.addAll(List.of("-cp", path, Vdisk.class.getName(), "info", "-f", "raw", "disk"));
      Ended human = run(folder, command.toArray(String[]::new));
      command.add(command.size() - 1, "--output=json");
      Ended json = run(folder, command.toArray(String[]::new));

      assertEquals("", human.err() + json.err());
      boolean known = enabled && Runtime.version().feature() >= 22;
      assertEquals(known, human.out().contains("\ndisk size: 1 MiB\n"), human.out());
      assertEquals(known, json.out().contains("\"actual-size\": 1048576"), json.out());
    }
  }

  /** What the host has set aside it still knows to be zero; without its calls it is written. */
  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void resizingCanSetSpaceAsideWithoutWriting(String format)
      throws IOException, InterruptedException {
    boolean can = Runtime.version().feature() >= 22;
    String path = home.resolve("target/tools-0.jar") + ":" + home.resolve("target/lib") + "/*";
    vdisk(path, "create", "-q", "-o", "preallocation=falloc", "tried", "1M");
    boolean isWritten = vdisk(path, "map", "-f", "raw", "tried").contains("tried");
    Requirements.need(!can || !isWritten, "needs a file system that sets space aside");
    vdisk(path, "create", "-q", "-f", format, "disk", "1M");

    vdisk(path, "resize", "-q", "-f", format, "--preallocation=falloc", "disk", "9M");

    assertEquals(!can, vdisk(path, "map", "-f", format, "disk").contains("disk"));
    if (can) {
      Matcher size =
          Pattern.compile("\"actual-size\": (\\d+)")
              .matcher(vdisk(path, "info", "-f", format, "--output=json", "disk"));
      assertTrue(size.find());
      assertTrue(Long.parseLong(size.group(1)) >= 8 << 20, size.group());
    }
  }

  private String vdisk(String path, String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", path));
    command.add(Vdisk.class.getName());
    command.addAll(List.of(words));
    Ended ended = run(folder, command.toArray(String[]::new));
    assertEquals(0, ended.code(), ended.err());
    return ended.out();
  }

  /** It survives the command that started it, and holds none of its streams. */
  @Test
  @Timeout(120)
  void tapdiskGoesIntoTheBackgroundOnceItIsReady() throws IOException, InterruptedException {
    Requirements.need("flock");
    // A socket's name has at most 107 bytes.
    Path meeting = Files.createTempDirectory("tap");
    environment.put("VDISK_TAP_FOLDER", meeting.toString());
    environment.put("VDISK_JAVA_HOME", System.getProperty("java.home"));
    String tapCtl = bin.resolve("tap-ctl").toString();
    try {
      Ended spawned = run(folder, tapCtl, "spawn");
      assertEquals(new Ended(0, spawned.out(), ""), spawned);
      String pid = spawned.out().strip();
      assertEquals(new Ended(0, "pid=" + pid + "\n", ""), run(folder, tapCtl, "list"));
      assertEquals(0, run(folder, tapCtl, "allocate").code());
      assertEquals(0, run(folder, tapCtl, "attach", "-p", pid, "-m", "0").code());
      assertTrue(residentKibibytes(pid) <= 80 << 10, residentKibibytes(pid) + " KiB");
      CompletableFuture<ProcessHandle> end =
          ProcessHandle.of(Long.parseLong(pid)).orElseThrow().onExit();
      assertEquals(0, run(folder, tapCtl, "detach", "-p", pid, "-m", "0").code());
      end.join();
      assertEquals(new Ended(0, "", ""), run(folder, tapCtl, "free", "-m", "0"));
      String tapdisk = bin.resolve("tapdisk").toString();
      assertEquals(22, run(folder, tapdisk, "--compat", "5").code());
      assertEquals(255, run(folder, tapdisk, "one").code());
      assertEquals(0, run(folder, tapdisk, "-h").code());
      Ended daemon = run(folder, bin.resolve("blktapctrl").toString(), "--log", "log");
      assertEquals(19, daemon.code());
      assertTrue(daemon.err().contains("/dev/xen/blktap0 is missing"), daemon.err());
    } finally {
      try (Stream<Path> left = Files.walk(meeting)) {
        for (Path file : left.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static long residentKibibytes(String pid) throws IOException {
    Path status = Path.of("/proc", pid, "status");
    Requirements.need(Files.exists(status), "needs Linux's /proc");
    String line =
        Files.readAllLines(status).stream()
            .filter(one -> one.startsWith("VmRSS:"))
            .findFirst()
            .orElseThrow();
    return Long.parseLong(line.replaceAll("\\D", ""));
  }

  @Test
  void archiveIsMadeOnceAndAgainAfterABuild() throws IOException, InterruptedException {
    String vdisk = bin.resolve("vdisk").toString();
    run(folder, vdisk, "--version");
    Path archive = archive();
    assertTrue(Files.size(archive) > 1 << 20);
    Object first = Files.readAttributes(archive, "*").get("fileKey");

    run(folder, vdisk, "--version");
    Object second = Files.readAttributes(archive, "*").get("fileKey");
    Files.setLastModifiedTime(
        home.resolve("target/tools-0.jar"),
        java.nio.file.attribute.FileTime.fromMillis(System.currentTimeMillis() + 60_000));
    run(folder, vdisk, "--version");

    assertEquals(first, second);
    assertFalse(first.equals(Files.readAttributes(archive(), "*").get("fileKey")));
  }

  private Path archive() throws IOException {
    try (Stream<Path> files = Files.list(home.resolve("target"))) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("launch-"))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void signalReachesTheToolAndNothingIsLeft() throws IOException, InterruptedException {
    Path work = Files.createDirectory(folder.resolve("work"));
    run(work, bin.resolve("vdisk").toString(), "--version");
    // To write a whole TiB of zeroes takes longer than this test waits.
    Process process =
        start(work, bin.resolve("qcow-create").toString(), "-r", "1048576", "reserved");
    while (process.isAlive() && !holdsHidden(work)) {
      Thread.onSpinWait();
    }
    process.destroy();

    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertEquals(128 + 15, process.exitValue());
    assertFalse(holdsHidden(work));
    assertFalse(Files.exists(work.resolve("reserved")));
  }

  private static boolean holdsHidden(Path work) throws IOException {
    try (Stream<Path> files = Files.list(work)) {
      return files.anyMatch(file -> file.getFileName().toString().startsWith("."));
    }
  }
}

package io.vdisk.backend.tap;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vdisk.CorruptImageException;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WriteLogTest {
  private static final int CAPACITY = 4096;
  private static final long SESSION = 7;

  @TempDir Path folder;

  private Path file;

  @BeforeEach
  void file() {
    file = folder.resolve("log");
  }

  private WriteLog open() throws IOException {
    return WriteLog.open(file, SESSION, CAPACITY);
  }

  private List<String> replayed() throws IOException {
    try (WatchedDisk disk = new WatchedDisk(1 << 20)) {
      open().replay(disk);
      return disk.asked();
    }
  }

  private static ByteBuffer bytes(int length) {
    return ByteBuffer.allocate(length);
  }

  @Test
  void whatWasAddedIsDoneByWhoComesNextInItsOrderAndOnce() throws IOException {
    WriteLog log = open();
    log.add(512, bytes(512));
    log.add(0, bytes(1000));

    assertEquals(List.of("write 512 512", "write 0 1000", "flush -2 0"), replayed());
    assertEquals(List.of(), replayed());
  }

  @Test
  void contentIsKept() throws IOException {
    open().add(512, ByteBuffer.wrap(new byte[] {9, 1, 2, 3, 9}, 1, 3));

    try (WatchedDisk disk = new WatchedDisk(1 << 20)) {
      open().replay(disk);
      ByteBuffer read = ByteBuffer.allocate(4);
      disk.read(read, 512);
      assertEquals(ByteBuffer.wrap(new byte[] {1, 2, 3, 0}), read.flip());
    }
  }

  @Test
  void flushDropsWhatWasThereWhenItBegan() throws IOException {
    WriteLog log = open();
    log.add(0, bytes(512));
    long head = log.head();
    log.add(512, bytes(512));
    log.drop(head);

    assertEquals(List.of("write 512 512", "flush -2 0"), replayed());
  }

  @Test
  void fullLogSaysSoUntilSomethingIsDropped() throws IOException {
    WriteLog log = open();
    while (log.add(0, bytes(500))) {}

    assertFalse(log.add(0, bytes(500)));
    log.drop(log.head());
    assertTrue(log.add(512, bytes(512)));
    assertEquals(List.of("write 512 512", "flush -2 0"), replayed());
  }

  @Test
  void circleGoesRoundWithRecordsOfEveryLength() throws IOException {
    WriteLog log = open();
    List<String> expected = new ArrayList<>();

    for (int i = 0; i < 300; i++) {
      log.drop(log.head());
      expected.clear();
      for (int j = 0; j < 3; j++) {
        int length = (i * 37 + j * 11) % 900;
        assertTrue(log.add(j, bytes(length)), i + " " + j);
        expected.add("write " + j + " " + length);
      }
      if (i % 25 == 0) {
        expected.add("flush -2 0");
        assertEquals(expected, replayed(), "round " + i);
      }
    }
  }

  @Test
  void circleIsFullWhereTheSkippedEndTakesTheRoom() throws IOException {
    WriteLog log = open();
    log.add(0, bytes(3000));
    log.drop(log.head());

    assertFalse(log.add(0, bytes(3008)), "1080 are skipped, and 3024 would be taken");
    assertTrue(log.add(512, bytes(3000)));

    assertEquals(List.of("write 512 3000", "flush -2 0"), replayed());
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, is no log of this guest's writes",
    "8, 8, is no log of this guest's writes",
    "16, 8, the log's tail is 8",
    "24, -8, and its head -8",
    "24, 65536, and its head 65536",
    "24, 3, and its head 3"
  })
  void headerThatMakesNoSenseIsRefused(int at, long value, String message) throws IOException {
    open();
    overwrite(at, value);

    IOException thrown = assertThrows(CorruptImageException.class, this::open);

    assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"-1", "4097", "9223372036854775807", "1024"})
  void recordThatMakesNoSenseIsRefused(long length) throws IOException {
    open().add(0, bytes(512));
    overwrite(4096 + 8, length);

    assertThrows(CorruptImageException.class, this::replayed);
  }

  @ParameterizedTest
  @CsvSource({"0, false", "100, false", "8192, false", "8192, true"})
  void logWhoseMakerWasKilledBeforeItWasOneIsMadeAnew(int length, boolean hasSession)
      throws IOException {
    Files.write(file, new byte[length]);
    if (hasSession) {
      overwrite(8, 99);
    }

    assertTrue(open().add(512, bytes(512)));

    assertEquals(List.of("write 512 512", "flush -2 0"), replayed());
  }

  @Test
  void fileOfAnotherLengthIsRefused() throws IOException {
    open();
    Files.write(file, new byte[1], StandardOpenOption.APPEND);

    assertThrows(CorruptImageException.class, this::open);
  }

  @Test
  void whatAGuestWroteIsReadByNobodyElse() throws IOException {
    open();

    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  @Test
  void nothingIsLeftAtTheEnd() throws IOException {
    open().delete();

    assertFalse(Files.exists(file));
  }

  @Test
  void memoryOfTheHostIsFreeAtTheEndAlthoughTheFileStaysMapped() throws IOException {
    Path mappings = Path.of("/proc/self/smaps");
    assumeTrue(Files.exists(mappings), "Linux tells what is in memory");
    WriteLog log = open();
    assertTrue(log.add(0, bytes(512)));
    String deleted = file.toRealPath() + " (deleted)";

    log.delete();

    List<String> lines = Files.readAllLines(mappings);
    Reference.reachabilityFence(log);
    String resident =
        lines.stream()
            .dropWhile(line -> !line.endsWith(deleted))
            .filter(line -> line.startsWith("Rss:"))
            .findFirst()
            .orElseThrow();
    assertEquals("Rss: 0 kB", resident.replaceAll(" +", " "));
  }

  @Test
  void allThatItTakesIsSetAsideWhenItIsMade() throws Exception {
    open();

    Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();

    String blocks = new String(stat.getInputStream().readAllBytes(), US_ASCII).trim();
    assertTrue(Long.parseLong(blocks) * 512 >= 4096 + CAPACITY, blocks + " blocks");
  }

  private void overwrite(int at, long value) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
      channel.write(bytes.putLong(0, value), at);
    }
  }
}

package io.vdisk.testkit.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.FileLockedException;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may have a file open beside whom: in this JVM, and beside QEMU. */
class FileLockTest {
  private static final int SIZE = 1 << 20;

  @TempDir Path folder;
  private Path image;

  @BeforeEach
  void makeImage() throws IOException {
    image = folder.resolve("disk.raw");
    Files.write(image, new byte[SIZE]);
  }

  private HostFile reader() throws IOException {
    return LocalFile.open(image, false);
  }

  private HostFile writer() throws IOException {
    return LocalFile.open(image, true);
  }

  private HostFile unlocked(boolean writable) throws IOException {
    return LocalFile.open(image, writable, false);
  }

  private FileLockedException assertRefused(boolean writable) {
    return assertThrows(FileLockedException.class, () -> LocalFile.open(image, writable).close());
  }

  @Nested
  class InOneJvm {
    @Test
    void twoReadersGetAlong() throws IOException {
      try (HostFile one = reader();
          HostFile two = reader()) {
        assertEquals(one.size(), two.size());
      }
    }

    @Test
    void aSecondWriterIsRefusedUntilTheFirstHasLeft() throws IOException {
      try (HostFile first = writer()) {
        assertTrue(first.isLocked());
        assertRefused(true);
      }
      writer().close();
    }

    @Test
    void aReaderIsRefusedBesideAWriter() throws IOException {
      HostFile writer = writer();
      assertRefused(false);
      writer.close();
      reader().close();
    }

    @Test
    void aWriterIsRefusedUntilTheLastReaderHasLeft() throws IOException {
      HostFile one = reader();
      HostFile two = reader();
      one.close();
      assertRefused(true);
      two.close();
      writer().close();
    }

    @Test
    void theRefusalNamesFileHolderAndOption() throws IOException {
      try (HostFile writer = writer()) {
        FileLockedException refusal = assertRefused(false);
        assertEquals(writer.name(), refusal.file());
        assertEquals(
            image
                + " is locked: this process has it open for writing"
                + " (OpenOptions.withoutLock() would ignore that)",
            refusal.getMessage());
      }
    }

    @Test
    void anotherNameOfTheFileIsTheSameFile() throws IOException {
      Path hard = Files.createLink(folder.resolve("hard"), image);
      Path soft = Files.createSymbolicLink(folder.resolve("soft"), image);
      try (HostFile writer = writer()) {
        for (Path name : List.of(hard, soft)) {
          assertThrows(FileLockedException.class, () -> LocalFile.open(name, false).close());
          try (HostFile other = LocalFile.open(name, false, false)) {
            assertEquals(writer.key(), other.key());
          }
        }
      }
    }

    @Test
    void withoutLockNobodyIsRefused() throws IOException {
      try (HostFile writer = writer();
          HostFile second = unlocked(true);
          HostFile reader = unlocked(false)) {
        assertFalse(second.isLocked());
        second.write(ByteBuffer.wrap(new byte[] {7}), 5);
        ByteBuffer seen = ByteBuffer.allocate(1);
        reader.readFully(seen, 5);
        assertEquals(7, seen.get(0));
        assertEquals(SIZE, writer.size());
      }
    }

    @Test
    void whoLocksNothingLocksNobodyOut() throws IOException {
      try (HostFile unlockedWriter = unlocked(true);
          HostFile locked = writer()) {
        assertEquals(unlockedWriter.key(), locked.key());
      }
    }

    @Test
    void aSymbolicLinkCanBeRefused() throws IOException {
      Path link = Files.createSymbolicLink(folder.resolve("soft"), image);
      assertThrows(
          IOException.class,
          () -> LocalFile.open(link, false, true, LinkOption.NOFOLLOW_LINKS).close());
    }

    @Test
    void aRefusedOneLeavesTheHoldersLock() throws IOException {
      try (HostFile writer = writer()) {
        for (int i = 0; i < 3; i++) {
          assertRefused(i == 1);
        }
        assertRefusesQemu("-r");
        assertTrue(writer.canWrite());
      }
    }

    @Test
    void aLockThatOtherCodeOfThisProcessHoldsIsRespected() throws IOException {
      try (RandomAccessFile other = new RandomAccessFile(image.toFile(), "rw")) {
        other.getChannel().lock(100, 1, false);
        assertTrue(assertRefused(true).getMessage().contains("has it open"));
      }
      writer().close();
    }
  }

  @Nested
  class BesideQemu {
    @Test
    void bothReadAtOnce() throws IOException {
      try (QemuIo qemu = QemuIo.open(image, "-r")) {
        assertTrue(qemu.hasOpened(), qemu.greeting());
        reader().close();
      }
      try (HostFile reader = reader();
          QemuIo qemu = QemuIo.open(image, "-r")) {
        assertTrue(qemu.hasOpened(), qemu.greeting());
        assertEquals(SIZE, reader.size());
      }
    }

    @Test
    void weDoNotWriteWhatItReads() throws IOException {
      try (QemuIo qemu = QemuIo.open(image, "-r")) {
        assertTrue(qemu.hasOpened(), qemu.greeting());
        assertRefused(true);
      }
      writer().close();
    }

    @Test
    void weNeitherReadNorWriteWhatItWrites() throws IOException {
      try (QemuIo qemu = QemuIo.open(image)) {
        assertTrue(qemu.hasOpened(), qemu.greeting());
        assertRefused(true);
        assertEquals(
            image
                + " is locked: another process has it open for writing"
                + " (OpenOptions.withoutLock() would ignore that)",
            assertRefused(false).getMessage());
      }
    }

    @Test
    void whatItWritesCanBeReadWithoutLock() throws IOException {
      try (QemuIo qemu = QemuIo.open(image);
          HostFile reader = unlocked(false)) {
        assertTrue(qemu.run("write -P 0x5a 4096 512").contains("wrote 512/512"));
        ByteBuffer seen = ByteBuffer.allocate(512);
        reader.readFully(seen, 4096);
        assertEquals(0x5a, seen.get(511));
      }
    }

    @Test
    void itDoesNotWriteWhatWeRead() throws IOException {
      try (HostFile reader = reader()) {
        assertFalse(reader.canWrite());
        assertRefusesQemu();
      }
      assertLetsQemuWrite();
    }

    @Test
    void itNeitherReadsNorWritesWhatWeWrite() throws IOException {
      try (HostFile writer = writer()) {
        assertTrue(writer.canWrite());
        assertRefusesQemu();
        assertRefusesQemu("-r");
      }
      assertLetsQemuWrite();
    }

    @Test
    void itIsRefusedStillAfterOthersOfUsHaveLeft() throws IOException {
      try (HostFile reader = reader()) {
        reader().close();
        unlocked(false).close();
        unlocked(true).close();
        assertRefused(true);
        HostFile.of(image).close();
        assertRefusesQemu();
        assertEquals(SIZE, reader.size());
      }
    }

    @Test
    void itIsLetInWhenTheLockedOneHasLeftAndAnUnlockedOneStays() throws IOException {
      HostFile writer = writer();
      try (HostFile stays = unlocked(false)) {
        writer.close();
        assertLetsQemuWrite();
        assertEquals(SIZE, stays.size());
      }
    }

    @Test
    void infoIsGivenOfWhatWeRead() throws Exception {
      Path qcow2 = folder.resolve("disk.qcow2");
      assertEquals(0, qemuImg("create", "-q", "-f", "qcow2", qcow2.toString(), "1M"));

      try (HostFile reader = LocalFile.open(qcow2, false)) {
        assertEquals(0, qemuImg("info", qcow2.toString()), reader + " is read");
      }
      try (HostFile writer = LocalFile.open(qcow2, true)) {
        assertEquals(1, qemuImg("info", qcow2.toString()), writer + " is written");
        assertEquals(0, qemuImg("info", "-U", qcow2.toString()), writer + " is written");
      }
    }

    private int qemuImg(String... arguments) throws Exception {
      List<String> command = new ArrayList<>(List.of(arguments));
      command.add(0, Requirements.need("qemu-img").toString());
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      return process.waitFor();
    }

    private void assertLetsQemuWrite() throws IOException {
      try (QemuIo qemu = QemuIo.open(image)) {
        assertTrue(qemu.hasOpened(), qemu.greeting());
      }
    }
  }

  private void assertRefusesQemu(String... options) throws IOException {
    try (QemuIo qemu = QemuIo.open(image, options)) {
      assertFalse(qemu.hasOpened());
      assertTrue(qemu.greeting().contains("lock"), qemu.greeting());
    }
  }
}

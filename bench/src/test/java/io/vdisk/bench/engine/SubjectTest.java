package io.vdisk.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SubjectTest {
  private static final int PIECE = 4096;

  @TempDir Path path;
  private Folder folder;

  @BeforeEach
  void makeImages() throws IOException {
    folder = SmallImages.in(path);
  }

  private Disk open(Subject subject, String format, boolean writable) throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    Path file = folder.fullPath(format);
    BlockDevice device = Images.open(file, options.withFormat(format));
    return subject.open(device, file, writable, PageCache.USED);
  }

  private static boolean isHere(Subject subject) {
    return subject != Subject.SYSTEM_CALLS || SystemCalls.opener().isPresent();
  }

  @Test
  void eachReadsTheSameBytes() throws IOException {
    byte[] content = Files.readAllBytes(folder.fullPath("raw"));
    for (String format : new String[] {"raw", "qcow", "qcow2"}) {
      for (Subject subject : Subject.values()) {
        if (!isHere(subject)) {
          continue;
        }
        try (Disk disk = open(subject, format, false)) {
          for (int offset = 0; offset < content.length; offset += 61 * PIECE) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE);
            disk.read(buffer, offset);
            ByteBuffer wanted = ByteBuffer.wrap(content, offset, PIECE);
            assertEquals(wanted, buffer.flip(), format + " by " + subject + " at " + offset);
          }
        }
      }
    }
  }

  @Test
  void whatEachWritesAndZeroesIsTheDisks() throws IOException {
    for (Subject subject : Subject.values()) {
      if (!isHere(subject)) {
        continue;
      }
      try (Disk disk = open(subject, "qcow2", true)) {
        disk.write(ByteBuffer.allocateDirect(PIECE).put(0, (byte) 77), 3 * PIECE);
        disk.zero(5 * PIECE, PIECE);
      }
      try (Disk disk = open(Subject.ENGINE, "qcow2", false)) {
        ByteBuffer written = ByteBuffer.allocateDirect(PIECE);
        disk.read(written, 3 * PIECE);
        assertEquals(77, written.get(0), subject.word());
        ByteBuffer zeroed = ByteBuffer.allocateDirect(PIECE);
        disk.read(zeroed, 5 * PIECE);
        assertEquals(ByteBuffer.allocate(PIECE), zeroed.flip(), subject.word());
      }
    }
  }

  @Test
  void diskThatIsNotStoredHasNoPlaces() throws IOException {
    try (BlockDevice ram = Images.ram(1 << 20)) {
      assertThrows(IOException.class, () -> Places.of(ram));
    }
  }

  @Test
  void wordsAreFoundAgain() {
    for (Subject subject : Subject.values()) {
      assertEquals(subject, Subject.of(subject.word()));
    }
    assertThrows(IllegalArgumentException.class, () -> Subject.of("mmap"));
  }
}

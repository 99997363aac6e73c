package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("java22")
class ClosingTest {
  private static final int LENGTH = 64 << 10;

  @TempDir Path folder;

  private static NativeFile open(Path path) throws IOException {
    return HostSystem.installed().orElseThrow().open(path, true);
  }

  private Path file(String name, int content) throws IOException {
    byte[] bytes = new byte[LENGTH];
    Arrays.fill(bytes, (byte) content);
    return Files.write(folder.resolve(name), bytes);
  }

  @Test
  void everyCallAfterwardsIsRefused() throws IOException {
    NativeFile file = open(file("file", 1));
    ByteBuffer buffer = ByteBuffer.allocateDirect(1);
    file.close();
    file.close();
    assertThrows(ClosedChannelException.class, () -> file.read(buffer, 0));
    assertThrows(ClosedChannelException.class, () -> file.write(buffer, 0));
    assertThrows(ClosedChannelException.class, file::size);
    assertThrows(ClosedChannelException.class, () -> file.resize(1));
    assertThrows(ClosedChannelException.class, file::flush);
    assertThrows(ClosedChannelException.class, () -> file.zero(0, 1, false));
    assertThrows(ClosedChannelException.class, () -> file.dataEnd(0, 1));
    assertThrows(ClosedChannelException.class, () -> file.lock(0, 1, true));
    assertThrows(ClosedChannelException.class, () -> file.unlock(0, 1));
  }

  /**
   * The kernel gives the lowest number that is free to the file that is opened next: one that is
   * given back too early is the other file's at once.
   */
  @Test
  void aFileThatIsClosedUnderItsReadersIsNotTakenForTheNextOne() throws Exception {
    Path ones = file("ones", 1);
    Path twos = file("twos", 2);
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      for (int round = 0; round < 1000; round++) {
        NativeFile one = open(ones);
        List<Future<Integer>> readers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          readers.add(pool.submit(() -> readUntilClosed(one)));
        }
        one.read(ByteBuffer.allocateDirect(LENGTH), 0);
        one.close();
        try (NativeFile two = open(twos)) {
          assertEquals(LENGTH, two.size());
          for (Future<Integer> reader : readers) {
            assertEquals(0, reader.get(1, TimeUnit.MINUTES), "strange bytes, round " + round);
          }
        }
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /** Reads, and returns how many bytes were not 1. */
  private static int readUntilClosed(NativeFile file) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(LENGTH);
    int strange = 0;
    try {
      while (true) {
        int count = file.read(buffer.clear(), 0);
        strange += LENGTH - count;
        for (int i = 0; i < count; i += 4096) {
          strange += buffer.get(i) == 1 ? 0 : 1;
        }
      }
    } catch (ClosedChannelException e) {
      return strange;
    }
  }
}

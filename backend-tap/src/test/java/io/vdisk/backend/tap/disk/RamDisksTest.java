package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.BlockDevice;
import io.vdisk.file.LocalFile;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Disks in memory. */
final class RamDisksTest {
  private static final long MOST = 64 << 20;

  private final RamDisks rams = new RamDisks(MOST);

  private BlockDevice open(String path) throws Exception {
    return rams.open(DiskDescriptor.parse("ram:" + path), true);
  }

  private void refused(String path, Errno errno, String trouble) {
    DiskException e = assertThrows(DiskException.class, () -> open(path), path);
    assertEquals(errno.number(), e.number());
    assertTrue(e.getMessage().contains(trouble), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"512, 512", "4K, 4096", "1m, 1048576", "3M:scratch, 3145728"})
  void aSizeIsInBytesOrBinaryUnits(String text, long bytes) throws Exception {
    try (BlockDevice disk = open(text)) {
      assertEquals(bytes, disk.size());
      assertArrayEquals(new byte[512], Bytes.read(disk, bytes - 512, 512));
    }
  }

  @Test
  void whoOpensTheSameTextHasTheSameDisk() throws Exception {
    try (BlockDevice one = open("1M");
        BlockDevice two = open("1M");
        BlockDevice other = open("1M:other")) {
      Bytes.write(one, 4096, 7, 512);
      assertArrayEquals(Bytes.of(7, 512), Bytes.read(two, 4096, 512));
      Bytes.write(two, 4096, 8, 512);
      assertArrayEquals(Bytes.of(8, 512), Bytes.read(one, 4096, 512));
      assertArrayEquals(new byte[512], Bytes.read(other, 4096, 512));
    }
  }

  @Test
  void theContentLivesUntilTheLastOneCloses() throws Exception {
    BlockDevice one = open("1M");
    BlockDevice two = open("1M");
    Bytes.write(one, 0, 7, 512);
    one.close();
    one.close();
    assertArrayEquals(Bytes.of(7, 512), Bytes.read(two, 0, 512));
    assertThrows(ClosedChannelException.class, () -> Bytes.read(one, 0, 512));
    assertThrows(ClosedChannelException.class, () -> one.flush());
    two.close();
    try (BlockDevice three = open("1M")) {
      assertArrayEquals(new byte[512], Bytes.read(three, 0, 512));
    }
  }

  @Test
  void oneUserMayBeBarredFromWriting() throws Exception {
    try (BlockDevice reader = rams.open(DiskDescriptor.parse("ram:1M"), false);
        BlockDevice writer = open("1M")) {
      assertThrows(NonWritableChannelException.class, () -> Bytes.write(reader, 0, 1, 512));
      assertThrows(NonWritableChannelException.class, () -> reader.writeZeroes(0, 512));
      assertThrows(NonWritableChannelException.class, () -> reader.discard(0, 512));
      Bytes.write(writer, 0, 1, 512);
      assertArrayEquals(Bytes.of(1, 512), Bytes.read(reader, 0, 512));
    }
  }

  @Test
  void aFileIsLoadedAndNeverSaved(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("image");
    byte[] content = Bytes.of(0, 200_000);
    System.arraycopy(Bytes.of(5, 1000), 0, content, 131_000, 1000);
    Files.write(file, content);
    try (BlockDevice disk = open(file.toString())) {
      assertEquals(200_000 / 512 * 512, disk.size());
      assertArrayEquals(java.util.Arrays.copyOf(content, 199_680), Bytes.read(disk, 0, 199_680));
      assertTrue(disk.extentAt(0, 1).readsAsZero(), "what is zero takes no memory");
      Bytes.write(disk, 0, 9, 512);
      disk.flush();
    }
    assertArrayEquals(content, Files.readAllBytes(file));
  }

  @Test
  void allTogetherHaveABound() throws Exception {
    refused("65M", Errno.ENOMEM, "ram:65M has 68157440 bytes, and 67108864 are left");
    try (BlockDevice disk = open("40M")) {
      refused("40M:other", Errno.ENOMEM, "are left for RAM disks");
      assertEquals(40 << 20, disk.size());
    }
    open("40M:other").close();
  }

  @Test
  void rubbishIsRefused(@TempDir Path folder) throws Exception {
    refused("0", Errno.EINVAL, "no number of sectors");
    refused("1000", Errno.EINVAL, "no number of sectors");
    refused("5X", Errno.EINVAL, "neither a size such as 64M nor a path");
    refused("9999999999T", Errno.EINVAL, "is too large");
    refused("1M:", Errno.EINVAL, "neither a size");
    Path tiny = Files.write(folder.resolve("tiny"), new byte[511]);
    refused(tiny.toString(), Errno.EINVAL, "has no sector of 512 bytes");
    refused(folder + "/none", Errno.ENOENT, "none does not exist");
  }

  /** A host that does not answer is the trouble of who asked it. */
  @Test
  @Timeout(60)
  void aFileThatIsBeingLoadedKeepsNoOtherDiskWaiting(@TempDir Path folder) throws Exception {
    Path file = Files.write(folder.resolve("file"), Bytes.of(7, 4096));
    CountDownLatch isAsked = new CountDownLatch(1);
    CountDownLatch answers = new CountDownLatch(1);
    RamDisks slow =
        new RamDisks(
            MOST,
            path -> {
              isAsked.countDown();
              Uninterruptibles.awaitUninterruptibly(answers);
              return LocalFile.open(path, false);
            });
    DiskDescriptor loaded = DiskDescriptor.parse("ram:" + file);
    ExecutorService pool = Executors.newCachedThreadPool();
    BlockDevice before = slow.open(DiskDescriptor.parse("ram:1M"), true);
    try {
      Future<BlockDevice> one = pool.submit(() -> slow.open(loaded, true));
      isAsked.await();
      Future<BlockDevice> two = pool.submit(() -> slow.open(loaded, true));
      before.close();
      slow.open(DiskDescriptor.parse("ram:1M"), true).close();

      answers.countDown();
      try (BlockDevice first = one.get(60, TimeUnit.SECONDS);
          BlockDevice second = two.get(60, TimeUnit.SECONDS)) {
        Bytes.write(first, 512, 8, 512);
        assertArrayEquals(Bytes.of(7, 512), Bytes.read(second, 0, 512));
        assertArrayEquals(Bytes.of(8, 512), Bytes.read(second, 512, 512));
      }
      slow.open(DiskDescriptor.parse("ram:" + MOST), true).close();
    } finally {
      answers.countDown();
      pool.shutdownNow();
    }
  }
}

package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The numbers of what fails. */
final class ErrnoTest {
  private static final Path FULL = Path.of("/dev/full");

  /** Also where it says so in German; the variable LC_ALL has it speak. */
  @Test
  void aHostWithoutSpaceIsUnderstoodWhateverItsLanguage() throws Exception {
    Requirements.need(Files.exists(FULL), "needs " + FULL);
    try (FileChannel full = FileChannel.open(FULL, StandardOpenOption.WRITE)) {
      IOException failure =
          assertThrows(IOException.class, () -> full.write(ByteBuffer.allocate(512)));

      assertEquals(Errno.ENOSPC, Errno.of(failure), failure.getMessage());
      assertEquals(Errno.ENOSPC, Errno.of(new IOException("a: " + failure.getMessage())));
    }
    assertEquals(Errno.ENOSPC, Errno.of(new IOException("a: No space left on device")));
    assertEquals(Errno.EIO, Errno.of(new IOException("a: Input/output error")));
  }

  @Test
  void aDirectoryIsNoImageAndNoKey(@TempDir Path folder) throws Exception {
    Path image = folder.resolve("d.vhd");
    Images.create(image, CreateOptions.of("vhd", 1 << 20)).close();
    Path key = Files.createDirectory(folder.resolve("d,aes-xts-plain,512.key"));
    TapDisk disk = new TapDisk(3, DiskPolicy.DEFAULT, new RamDisks(1 << 20));

    DiskException asImage =
        assertThrows(DiskException.class, () -> disk.open(OpenRequest.of("aio:" + folder)));
    UncheckedIOException asKey =
        assertThrows(
            UncheckedIOException.class,
            () -> new KeyFinder(Optional.empty()).secret(image.toString(), "key"));

    assertEquals(21, asImage.number(), asImage.sentence());
    assertEquals(key + " is a directory, and no key", asKey.getCause().getMessage());
  }
}

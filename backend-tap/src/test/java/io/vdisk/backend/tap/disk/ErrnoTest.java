package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;

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
}

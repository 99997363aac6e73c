package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class Qcow2PreallocationTest {
  private static final int SIZE = 8 << 20;

  /** On a host that may set space aside without writing. */
  private static final class Host extends ForwardingFile {
    private final boolean can;
    long reserved;
    long written;

    Host(boolean can) {
      super(new MemoryFile("image"));
      this.can = can;
    }

    @Override
    public boolean allocate(long offset, long length) {
      reserved += can ? length : 0;
      return can;
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      written += src.remaining();
      super.write(src, offset);
    }
  }

  private static Host created(boolean can, String mode) throws IOException {
    Host host = new Host(can);
    CreateOptions options = CreateOptions.of("qcow2", SIZE).withOption("preallocation", mode);
    Images.create(host, options).close();
    assertTrue(host.size() > SIZE);
    return host;
  }

  @Test
  void spaceIsSetAsideWithoutWritingWhereTheHostCan() throws IOException {
    Host host = created(true, "falloc");
    assertEquals(SIZE, host.reserved);
    assertTrue(host.written < SIZE / 2, host.written + " bytes written");
  }

  @Test
  void itIsWrittenWhereTheHostCannot() throws IOException {
    assertTrue(created(false, "falloc").written > SIZE);
  }

  @Test
  void fullIsWrittenAndMetadataSetsNothingAside() throws IOException {
    Host full = created(true, "full");
    assertEquals(0, full.reserved);
    assertTrue(full.written > SIZE);
    Host metadata = created(true, "metadata");
    assertEquals(0, metadata.reserved);
    assertTrue(metadata.written < SIZE / 2);
  }
}

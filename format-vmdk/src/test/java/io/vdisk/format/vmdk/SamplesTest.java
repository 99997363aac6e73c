package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.Probe;
import io.vdisk.testkit.Programs;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** An image that another program made reads as it should. */
class SamplesTest {
  private static final String EXT2 =
      "4194304 a6c2f0e39afe6c6ab432ca5465349fcefe8dc944398e97b2d957d3f89dbb5d80";

  private static MemoryFile load(String name) throws IOException {
    try (InputStream packed = SamplesTest.class.getResourceAsStream("samples/" + name + ".gz");
        InputStream content = new GZIPInputStream(Objects.requireNonNull(packed))) {
      return new MemoryFile(name, content.readAllBytes());
    }
  }

  @Test
  void readsAsItsHashSaysForReadingAndForWriting() throws IOException {
    for (boolean writable : new boolean[] {false, true}) {
      try (BlockDevice device = Images.open(load("ext2.vmdk"), Disks.opening(writable))) {
        assertEquals(EXT2, Programs.digest(Disks.read(device)));
        assertEquals(List.of(), Disks.findings(device));
        assertEquals("monolithicSparse", device.info().details().get("create-type"));
      }
    }
    assertEquals(Probe.MAGIC, new VmdkFormat().probe(load("ext2.vmdk")));
  }
}

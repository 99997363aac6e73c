package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.Measurement;
import io.vdisk.SecretException;
import io.vdisk.Secrets;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Resizing;
import io.vdisk.file.FileSlice;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.NoSpaceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What can be chosen when an image is made. */
class VhdOptionsTest {
  private static final int MIB = 1 << 20;

  private final Disks disks = new Disks();

  @Test
  void noSizeIsRoundedUnlessThatIsAskedFor() throws IOException {
    try (BlockDevice device = disks.create("a.vhd", disks.creating(1_000_448))) {
      assertEquals(1_000_448, device.size());
      assertEquals("qem2 5.3", device.info().details().get("creator"));
    }
    try (BlockDevice device =
        disks.create("b.vhd", disks.creating(1_000_448, "force_size", "off"))) {
      assertEquals(1_009_664, device.size()); // 29 x 4 x 17 sectors
    }
  }

  @Test
  void azureGetsAFixedDiskOfWholeMebibytes() throws IOException {
    try (BlockDevice device =
        disks.create("a.vhd", disks.creating(MIB + 1, "subformat", "fixed", "azure", "on"))) {
      assertEquals(2 * MIB, device.size());
    }
    assertEquals(2 * MIB + 512, disks.file("a.vhd").size());
  }

  @Test
  void aDiskAbove2040GibIsRefusedAndVhdxOffered() throws IOException {
    disks.create("a.vhd", disks.creating(2040L << 30)).close();
    for (String subformat : new String[] {"dynamic", "fixed"}) {
      UnsupportedImageException refusal =
          assertThrows(
              UnsupportedImageException.class,
              () ->
                  disks.create(
                      "b.vhd", disks.creating((2040L << 30) + 512, "subformat", subformat)));
      assertTrue(refusal.getMessage().contains("vhdx"), refusal.getMessage());
    }
    assertEquals(0, disks.file("b.vhd").size());
  }

  @ParameterizedTest
  @CsvSource({
    "subformat, sparse",
    "subformat, differencing",
    "force_size, maybe",
    "block_size, 3000",
    "block_size, 256",
    "block_size, 1073741824",
    "azure, on",
    "metadata_size, 1000",
    "metadata_size, -1",
    "encrypt.format, aes-xts-plain",
    "encrypt.format, luks",
    "unique_id, 1",
    "time_stamp, yesterday",
    "time_stamp, 1999-01-01T00:00:00Z",
    "xen, yes",
  })
  void whatCannotBeIsRefused(String option, String value) {
    assertThrows(
        IllegalArgumentException.class,
        () -> disks.create("a.vhd", disks.creating(5 * MIB, option, value)));
  }

  @Test
  void reservedMetadataLetsTheDiskGrowInPlace() throws IOException {
    try (BlockDevice device =
        disks.create("a.vhd", disks.creating(5 * MIB, "metadata_size", "1099511627776"))) {
      Disks.write(device, new byte[100], 0);
      HostFile file = disks.file("a.vhd");
      long size = file.size();
      device.feature(Resizing.class).orElseThrow().resize(1L << 40);
      assertEquals(size, file.size());
      assertEquals(1L << 40, device.size());
    }
    disks.assertClean("a.vhd");
  }

  @Test
  void theSameOptionsMakeTheSameImage() throws IOException {
    String[] options = {
      "unique_id", "6f9b2f6e-61c5-4f0c-8e52-3a1b7c0d9e41", "time_stamp", "2026-01-01T00:00:00Z"
    };
    for (String name : new String[] {"a.vhd", "b.vhd"}) {
      disks.create(name, disks.creating(5 * MIB, options)).close();
    }
    assertArrayEquals(bytes("a.vhd"), bytes("b.vhd"));
  }

  private byte[] bytes(String name) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) disks.file(name).size());
    disks.file(name).readFully(bytes, 0);
    return bytes.array();
  }

  @Test
  void anEncryptedImageNeedsAKeyAndHoldsNoPlainText() throws IOException {
    CreateOptions options = disks.creating(5 * MIB, "xen", "on", "encrypt.format", "aes-xts-plain");
    assertThrows(
        SecretException.class, () -> disks.create("b.vhd", options.withSecrets(Secrets.NONE)));
    byte[] text = "plain text ".repeat(100).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    try (BlockDevice device = disks.create("a.vhd", options)) {
      Disks.write(device, text, MIB - 10);
    }
    String image = new String(bytes("a.vhd"), java.nio.charset.StandardCharsets.ISO_8859_1);
    assertTrue(!image.contains("plain text"));
    try (BlockDevice device = disks.open("a.vhd")) {
      ByteBuffer read = ByteBuffer.allocate(text.length);
      device.read(read, MIB - 10);
      assertArrayEquals(text, read.array());
    }
    disks.assertClean("a.vhd");
  }

  @Test
  void aChildHasItsParentsSizeAndId() throws IOException {
    String id = "6f9b2f6e-61c5-4f0c-8e52-3a1b7c0d9e41";
    disks.create("a.vhd", disks.creating(5 * MIB, "unique_id", id)).close();
    try (BlockDevice child = disks.create("b.vhd", disks.child("a.vhd", "vpc"))) {
      assertEquals(5 * MIB, child.size());
      Map<String, Object> details = child.info().details();
      assertEquals(id, details.get("parent-unique-id"));
      assertEquals("a.vhd", child.info().backing().orElseThrow().name());
    }
    assertThrows(
        UnsupportedImageException.class,
        () ->
            disks.create(
                "c.vhd", disks.child("a.vhd", "vhd").withVirtualSize(MIB).withoutOpeningBacking()));
  }

  @Test
  void aChildOfARawDiskReadsIt() throws IOException {
    byte[] content = Disks.random(3 * MIB, 1);
    disks.put("a.raw", new MemoryFile("a.raw", content.clone()));
    try (BlockDevice child = disks.create("b.vhd", disks.child("a.raw", "raw"))) {
      Disks.write(child, new byte[1000], 5000);
    }
    java.util.Arrays.fill(content, 5000, 6000, (byte) 0);
    assertArrayEquals(content, disks.content("b.vhd"));
    disks.assertClean("b.vhd");
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "fixed"})
  void aDeviceThatCannotGrowKeepsItsFooterAtTheEnd(String subformat) throws IOException {
    int capacity = 9 * MIB;
    MemoryFile volume = new MemoryFile("volume", Disks.random(capacity + 4096, 7));
    disks.put("device", new FileSlice(volume, 4096, capacity));
    byte[] content = Disks.random(8 * MIB, 2);
    try (BlockDevice device =
        disks.create("device", disks.creating(8 * MIB, "subformat", subformat))) {
      assertArrayEquals(new byte[8 * MIB], Samples.content(device));
      Disks.write(device, content, 0);
    }
    disks.assertClean("device");
    assertArrayEquals(content, disks.content("device"));
    ByteBuffer end = ByteBuffer.allocate(512);
    disks.file("device").readFully(end, capacity - 512);
    assertTrue(HardDiskFooter.of(end.flip()).hasRightChecksum());
  }

  @Test
  void aFullDeviceSaysSo() throws IOException {
    int capacity = 5 * MIB;
    MemoryFile volume = new MemoryFile("volume", new byte[capacity]);
    disks.put("device", new FileSlice(volume, 0, capacity));
    byte[] content = Disks.random(4 * MIB, 2);
    try (BlockDevice device = disks.create("device", disks.creating(64 * MIB))) {
      Disks.write(device, content, 0);
      NoSpaceException full =
          assertThrows(NoSpaceException.class, () -> Disks.write(device, content, 10 * MIB));
      assertTrue(full.getMessage().contains("cannot grow beyond"), full.getMessage());
      device.discard(0, 2 * MIB);
      Disks.write(device, content, 10 * MIB + 5 - 5); // into the block that was given back
    } catch (NoSpaceException e) {
      assertTrue(e.getMessage().contains("full"));
    }
    disks.assertClean("device");
  }

  @Test
  void whatIsMeasuredIsWhatItBecomes() throws IOException {
    for (String subformat : new String[] {"dynamic", "fixed"}) {
      CreateOptions options = disks.creating(9 * MIB, "subformat", subformat);
      Measurement measured = Images.measure(options);
      try (BlockDevice device = disks.create(subformat, options)) {
        assertEquals(measured.required(), disks.file(subformat).size());
        Disks.write(device, Disks.random(9 * MIB, 1), 0);
      }
      assertEquals(measured.fullyAllocated(), disks.file(subformat).size());
      try (BlockDevice device = disks.open(subformat)) {
        assertEquals(measured.fullyAllocated(), Images.measure(device, options).required());
      }
    }
  }
}

package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.Images;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing;
import io.vdisk.file.MemoryFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Extents as VMware streams them: grains behind markers, tables behind the grains, a footer. */
class StreamOptimizedTest {
  private static final int SECTOR = 512;
  private static final int GRAIN = 64 << 10;

  /** Five grains and a bit; grain 2 is not there. */
  private static final int SIZE = 5 * GRAIN + 3 * SECTOR;

  private final byte[] disk = new byte[SIZE];
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final int[] entries = new int[512];

  private int sector() {
    while (out.size() % SECTOR != 0) {
      out.write(0);
    }
    return out.size() / SECTOR;
  }

  private void put(ByteBuffer bytes) {
    out.writeBytes(bytes.array());
  }

  private SparseHeader header(long directory, long version) {
    return new SparseHeader(
        version,
        SparseHeader.NEWLINES | SparseHeader.COMPRESSED | SparseHeader.MARKERS,
        SIZE / SECTOR,
        GRAIN / SECTOR,
        1,
        1,
        512,
        0,
        directory,
        128,
        false,
        SparseHeader.NEWLINE_BYTES,
        SparseHeader.DEFLATE);
  }

  private byte[] stream(long version) {
    new Random(3).nextBytes(disk);
    Arrays.fill(disk, 2 * GRAIN, 3 * GRAIN, (byte) 0);
    Arrays.fill(disk, 3 * GRAIN, 3 * GRAIN + 60_000, (byte) 5);
    out.reset();
    put(header(SparseHeader.AT_END, version).encode());
    String text =
        "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
            + "createType=\"streamOptimized\"\nRDONLY "
            + SIZE / SECTOR
            + " SPARSE \"x.vmdk\"\n";
    put(
        ByteBuffer.wrap(
            Arrays.copyOf(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII), SECTOR)));
    for (int grain = 0; grain < 6; grain++) {
      if (grain != 2) {
        entries[grain] = sector();
        int to = Math.min(SIZE, (grain + 1) * GRAIN);
        byte[] bytes = Arrays.copyOfRange(disk, grain * GRAIN, to);
        grain((long) grain * GRAIN / SECTOR, deflate(bytes));
      }
    }
    int unused = sector();
    put(Marker.sector(Marker.GRAIN_TABLE, 4));
    int table = sector();
    ByteBuffer words = ByteBuffer.allocate(2048).order(ByteOrder.LITTLE_ENDIAN);
    words.asIntBuffer().put(entries);
    put(words);
    put(Marker.sector(Marker.GRAIN_DIRECTORY, 1));
    int directory = sector();
    put(ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN).putInt(0, table));
    put(Marker.sector(Marker.FOOTER, 1));
    put(header(directory, version).encode());
    put(Marker.sector(Marker.END_OF_STREAM, 0));
    assertTrue(unused > 0);
    return out.toByteArray();
  }

  private void grain(long sector, byte[] bytes) {
    ByteBuffer marker = ByteBuffer.allocate(Marker.GRAIN_BYTES);
    Marker.VALUE.put(marker, 0, sector);
    Marker.SIZE.put(marker, 0, bytes.length);
    put(marker);
    out.writeBytes(bytes);
  }

  private static byte[] deflate(byte[] bytes) {
    Deflater deflater = new Deflater();
    deflater.setInput(bytes);
    deflater.finish();
    byte[] target = new byte[bytes.length + 1000];
    int made = deflater.deflate(target);
    deflater.end();
    return Arrays.copyOf(target, made);
  }

  private static BlockDevice open(byte[] image) throws IOException {
    return Images.open(new MemoryFile("image", image), Disks.opening(false));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void directoryAtTheEndIsFoundThroughTheFooter(long version) throws IOException {
    try (BlockDevice device = open(stream(version))) {
      assertArrayEquals(disk, Disks.read(device));
      assertEquals(List.of(), Disks.findings(device));
      ByteBuffer part = ByteBuffer.allocate(1000);
      device.read(part, SIZE - 1000);
      assertArrayEquals(Arrays.copyOfRange(disk, SIZE - 1000, SIZE), part.array());
      assertTrue(device.extentAt(0, SIZE).isEncoded());
    }
  }

  @Test
  void imageIsNotWritten() throws IOException {
    MemoryFile file = new MemoryFile("image", stream(3));
    try (BlockDevice device = Images.open(file, Disks.opening(true))) {
      UnsupportedImageException refusal =
          assertThrows(
              UnsupportedImageException.class, () -> device.write(ByteBuffer.allocate(1), 0));
      assertTrue(refusal.getMessage().contains("stream-optimized"), refusal.getMessage());
    }
    ByteBuffer now = ByteBuffer.allocate((int) file.size());
    file.readFully(now, 0);
    assertArrayEquals(stream(3), now.array());
  }

  private void assertBroken(byte[] image, String word) throws IOException {
    try (BlockDevice device = open(image)) {
      CorruptImageException refusal =
          assertThrows(CorruptImageException.class, () -> Disks.read(device));
      assertTrue(refusal.getMessage().startsWith("image: "), refusal.getMessage());
      assertTrue(refusal.getMessage().contains(word), refusal.getMessage());
    }
  }

  @Test
  void grainOfAnotherPlaceIsRefused() throws IOException {
    byte[] image = stream(3);
    image[entries[1] * SECTOR] ^= (byte) 0x80;
    assertBroken(image, "marker");
    image = stream(3);
    image[entries[1] * SECTOR + 1] = 1; // grain 2 or so
    assertBroken(image, "marker");
  }

  @Test
  void sizeBeyondAGrainIsRefusedBeforeAnythingIsAllocated() throws IOException {
    byte[] image = stream(3);
    image[entries[0] * SECTOR + 11] = 0x7f;
    assertBroken(image, "says");
  }

  @Test
  void grainThatMakesTooManyOrTooFewBytesIsRefused() throws IOException {
    for (int length : new int[] {GRAIN + 1, 50 << 20, GRAIN - 1}) {
      byte[] image = stream(3);
      byte[] bomb = deflate(new byte[length]);
      int place = entries[0] * SECTOR;
      ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).putInt(place + 8, bomb.length);
      System.arraycopy(bomb, 0, image, place + 12, bomb.length);
      assertBroken(image, "bytes");
    }
  }

  @Test
  void brokenStreamIsRefused() throws IOException {
    byte[] image = stream(3);
    image[entries[4] * SECTOR + 20_000] ^= 1;
    assertBroken(image, "broken");
    image = stream(3);
    image[entries[4] * SECTOR + 9] -= 10; // its end is missing
    assertBroken(image, "grain");
  }

  @Test
  void missingFooterIsRefused() {
    byte[] image = stream(3);
    CorruptImageException refusal =
        assertThrows(
            CorruptImageException.class, () -> open(Arrays.copyOf(image, image.length - 1024)));
    assertTrue(refusal.getMessage().contains("gdOffset"), refusal.getMessage());
  }

  /** Archives fill their records, stores their pages; partly, at times. */
  @ParameterizedTest
  @ValueSource(ints = {1, 511, 512, 4096, 10_240 - 512, 1 << 20})
  void zeroesBehindTheEndAreTaken(int zeroes) throws IOException {
    byte[] stream = stream(3);
    byte[] filled = Arrays.copyOf(stream, stream.length + zeroes);
    try (BlockDevice device = open(filled)) {
      assertArrayEquals(disk, Disks.read(device));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 511, 512, 4096, 10_240 - 512})
  void otherBytesBehindTheEndAreRefusedByTheirPlace(int count) throws IOException {
    byte[] stream = stream(3);
    byte[] longer = Arrays.copyOf(stream, stream.length + count);
    longer[longer.length - 1] = 1;
    CorruptImageException refusal = assertThrows(CorruptImageException.class, () -> open(longer));
    assertTrue(refusal.getMessage().contains("behind the end"), refusal.getMessage());
  }

  @Test
  void grainThatTwoEntriesNameIsFoundAndNotRepaired() throws IOException {
    byte[] image = stream(3);
    ByteBuffer words = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    int table = image.length - 3 * SECTOR - SECTOR - SECTOR - 2048;
    assertEquals(entries[1], words.getInt(table + 4));
    words.putInt(table + 4, entries[3]);
    MemoryFile file = new MemoryFile("image", image);
    try (BlockDevice device = Images.open(file, Disks.opening(true).forRepair())) {
      CheckReport report =
          device.feature(Repairing.class).orElseThrow().repair(Repairing.Scope.ALL, (d, t) -> true);
      assertEquals(1, report.errors());
      assertEquals(0, report.errorsFixed());
      assertTrue(report.findings().toString().contains("compressed grains are never written"));
    }
    byte[] after = new byte[image.length];
    file.readFully(ByteBuffer.wrap(after), 0);
    assertArrayEquals(image, after);
  }
}

package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Piece;
import io.vdisk.SequentialSource;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.Programs;
import io.vdisk.testkit.Requirements;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that are written and read in one pass. */
class OnePassTest {
  private static final int SECTOR = 512;
  private static final int GRAIN = 64 << 10;

  /** Bytes of a disk that are kept; a damaged header may say that it is larger. */
  private static final long MOST = 100 << 20;

  private static CreateOptions options(long size) {
    return CreateOptions.of("vmdk", size)
        .withOption("subformat", "streamOptimized")
        .withOption("cid", "12345678");
  }

  /** A disk of some text, some noise and much that is zero, over several grain tables. */
  private static byte[] disk(int size) {
    byte[] disk = new byte[size];
    Random random = new Random(size);
    for (int i = 0; i < 40; i++) {
      int at = random.nextInt(size);
      byte[] bytes = new byte[Math.min(size - at, random.nextInt(200_000))];
      if (i % 2 == 0) {
        random.nextBytes(bytes);
      } else {
        Arrays.fill(bytes, (byte) i);
      }
      System.arraycopy(bytes, 0, disk, at, bytes.length);
    }
    return disk;
  }

  private static byte[] written(byte[] disk, int threads) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (StreamWriter writer = new StreamWriter(out, options(disk.length), threads)) {
      Random random = new Random(1);
      for (int at = 0; at < disk.length; ) {
        int length = Math.min(disk.length - at, 1 + random.nextInt(300_000));
        writer.write(ByteBuffer.wrap(disk, at, length), at);
        at += length;
      }
      writer.finish();
    }
    return out.toByteArray();
  }

  private static byte[] read(byte[] stream) throws IOException {
    return read(stream, 1 << 20);
  }

  private static byte[] read(byte[] stream, int piece) throws IOException {
    OpenOptions options = OpenOptions.readOnly().withFormat("vmdk");
    try (SequentialSource source = Images.openStream(new ByteArrayInputStream(stream), options)) {
      byte[] disk = new byte[(int) Math.min(MOST, source.info().virtualSize())];
      Piece into = new Piece(piece);
      long end = 0;
      while (source.next(into)) {
        assertTrue(into.offset() >= end);
        end = into.offset() + into.buffer().remaining();
        if (end <= disk.length) {
          into.buffer().get(disk, (int) into.offset(), into.buffer().remaining());
        }
      }
      assertFalse(into.buffer().hasRemaining());
      assertFalse(source.next(into));
      return disk;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 65_536, 65_536 + 512, 80 << 20})
  void whatIsWrittenIsReadInOnePassAndAsAFile(int size) throws IOException {
    byte[] disk = disk(size);
    byte[] stream = written(disk, 2);
    assertArrayEquals(disk, read(stream));
    assertArrayEquals(disk, read(stream, GRAIN));
    MemoryFile file = new MemoryFile("disk.vmdk");
    file.write(ByteBuffer.wrap(stream), 0);
    try (BlockDevice device = Images.open(file, OpenOptions.readOnly())) {
      ByteBuffer bytes = ByteBuffer.allocate(size);
      device.read(bytes, 0);
      assertArrayEquals(disk, bytes.array());
    }
  }

  @Test
  void imageIsTheSameHoweverManyThreadsCompress() throws IOException {
    byte[] disk = disk(50 << 20);
    assertArrayEquals(written(disk, 1), written(disk, 4));
  }

  /** Virtual Disk Format 5.0, "Stream-Optimized Compressed Sparse Extents". */
  @Test
  void everyStructureIsWhereTheSpecificationWantsIt() throws IOException {
    byte[] disk = new byte[70 << 20]; // three tables, the second without a grain
    Arrays.fill(disk, 0, 100, (byte) 1);
    Arrays.fill(disk, 65 << 20, (65 << 20) + GRAIN, (byte) 2);
    ByteBuffer stream = ByteBuffer.wrap(written(disk, 1));
    assertEquals(0, stream.capacity() % SECTOR);
    SparseHeader header = SparseHeader.decode(stream.slice(0, SECTOR), "stream");
    assertEquals(3, header.version());
    assertEquals(0x30001, header.flags());
    assertEquals(disk.length / SECTOR, header.capacity());
    assertEquals(128, header.grainSectors());
    assertEquals(1, header.descriptorOffset());
    assertEquals(512, header.tableEntries());
    assertEquals(0, header.redundantDirectory());
    assertEquals(SparseHeader.AT_END, header.directory());
    assertEquals(128, header.overhead());
    assertEquals(1, header.compression());

    int at = 128 * SECTOR;
    int grain = at / SECTOR;
    assertEquals(0, Marker.VALUE.get(stream, at));
    at += roundUp(12 + (int) Marker.SIZE.get(stream, at));
    int firstTable = table(stream, at);
    assertEquals(grain, stream.order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(firstTable));
    at = firstTable + 4 * SECTOR;
    grain = at / SECTOR;
    assertEquals((65L << 20) / SECTOR, Marker.VALUE.get(stream, at));
    at += roundUp(12 + (int) Marker.SIZE.get(stream, at));
    int secondTable = table(stream, at);
    assertEquals(grain, stream.getInt(secondTable + 4 * ((65 << 20) / GRAIN % 512)));
    at = secondTable + 4 * SECTOR;
    assertEquals(Marker.GRAIN_DIRECTORY, Marker.TYPE.get(stream, at));
    assertEquals(1, Marker.VALUE.get(stream, at));
    int directory = at + SECTOR;
    assertEquals(firstTable / SECTOR, stream.getInt(directory));
    assertEquals(0, stream.getInt(directory + 4));
    assertEquals(secondTable / SECTOR, stream.getInt(directory + 4 * 2));
    at = directory + SECTOR;
    assertEquals(Marker.FOOTER, Marker.TYPE.get(stream, at));
    assertEquals(1, Marker.VALUE.get(stream, at));
    SparseHeader footer = SparseHeader.decode(stream.slice(at + SECTOR, SECTOR), "stream");
    assertEquals(header.withDirectory(directory / SECTOR), footer);
    at += 2 * SECTOR;
    assertArrayEquals(new byte[SECTOR], Arrays.copyOfRange(stream.array(), at, at + SECTOR));
    assertEquals(stream.capacity(), at + SECTOR);
  }

  private static int roundUp(int bytes) {
    return (bytes + SECTOR - 1) & -SECTOR;
  }

  /** Where the table behind a marker begins. */
  private static int table(ByteBuffer stream, int marker) {
    assertEquals(0, Marker.SIZE.get(stream, marker));
    assertEquals(Marker.GRAIN_TABLE, Marker.TYPE.get(stream, marker));
    assertEquals(4, Marker.VALUE.get(stream, marker));
    return marker + SECTOR;
  }

  @Test
  void qemuReadsOursAndWeReadItsOwn(@TempDir Path folder) throws Exception {
    Requirements.need("qemu-img");
    byte[] disk = disk(40 << 20);
    Path raw = Files.write(folder.resolve("raw"), disk);
    Path ours = Files.write(folder.resolve("ours.vmdk"), written(disk, 2));
    Programs programs = new Programs(folder);
    String unused =
        programs.run("qemu-img", "", ("compare -f raw -F vmdk " + raw + " " + ours).split(" "));
    Path theirs = folder.resolve("theirs.vmdk");
    String convert = "convert -f raw -O vmdk -o subformat=streamOptimized " + raw + " " + theirs;
    unused = programs.run("qemu-img", "", convert.split(" "));
    byte[] stream = Files.readAllBytes(theirs);
    assertArrayEquals(disk, read(stream));
    assertThrows(
        ImageException.class, () -> read(Arrays.copyOf(stream, stream.length - 20 * GRAIN)));
  }

  @Test
  void whatIsCutOffAnywhereIsRefused() throws IOException {
    byte[] stream = written(disk(300_032), 1);
    for (int length = 0; length < stream.length; length += 509) {
      byte[] part = Arrays.copyOf(stream, length);
      assertThrows(ImageException.class, () -> read(part), () -> part.length + " bytes");
    }
  }

  /** Archives fill their records, stores their pages; partly, at times. */
  @ParameterizedTest
  @ValueSource(ints = {1, 511, 512, 4096, 10_240 - 512, 3 << 20})
  void zeroesBehindTheEndAreTakenAndOtherBytesAreNot(int count) throws IOException {
    byte[] disk = disk(3 * 65_536 + 512);
    byte[] stream = written(disk, 2);
    byte[] filled = Arrays.copyOf(stream, stream.length + count);
    assertArrayEquals(disk, read(filled));
    filled[filled.length - 1] = 1;
    CorruptImageException refusal = assertThrows(CorruptImageException.class, () -> read(filled));
    assertTrue(refusal.getMessage().contains("behind the end"), refusal.getMessage());
  }

  /** Every byte of a small image is changed once: it is read or refused, and nothing else. */
  @Test
  void whatIsDamagedIsReadOrRefused() throws IOException {
    byte[] disk = new byte[3 * GRAIN];
    Arrays.fill(disk, GRAIN, GRAIN + 1000, (byte) 7);
    byte[] stream = written(disk, 1);
    int refused = 0;
    for (int i = 0; i < stream.length; i++) {
      if (i > 3 * SECTOR && i < 128 * SECTOR) {
        continue; // filling
      }
      byte[] damaged = stream.clone();
      damaged[i] ^= (byte) (i % 255 + 1);
      try {
        assertTrue(read(damaged).length > 0);
      } catch (ImageException e) {
        refused++;
      }
    }
    assertTrue(refused > 100, refused + " were refused");
  }

  @Test
  void grainsMustComeInTheOrderOfTheDisk() throws IOException {
    byte[] disk = new byte[4 * GRAIN];
    Arrays.fill(disk, (byte) 1);
    byte[] stream = written(disk, 1);
    ByteBuffer bytes = ByteBuffer.wrap(stream);
    Marker.VALUE.put(bytes, 128 * SECTOR, 128 * 3);
    ImageException refusal = assertThrows(ImageException.class, () -> read(stream));
    assertTrue(refusal.getMessage().contains("order"), refusal.getMessage());
  }

  @Test
  void wrongCallsAreRefused() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThrows(
        IllegalArgumentException.class, () -> Images.createStream(out, options(0)).close());
    assertThrows(
        ImageException.class,
        () -> Images.createStream(out, CreateOptions.of("vmdk", 1 << 20)).close());
    MemoryFile file = new MemoryFile("disk.vmdk");
    assertThrows(ImageException.class, () -> Images.create(file, options(1 << 20)).close());
    assertEquals(0, out.size());
    try (StreamWriter writer = new StreamWriter(out, options(GRAIN), 1)) {
      writer.write(ByteBuffer.allocate(SECTOR), SECTOR);
      assertThrows(
          IllegalArgumentException.class, () -> writer.write(ByteBuffer.allocate(SECTOR), 0));
      assertThrows(
          IllegalArgumentException.class, () -> writer.write(ByteBuffer.allocate(GRAIN), SECTOR));
    }
  }
}

package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Checking;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that are not what they should be: clear exceptions, and nothing written. */
@Timeout(300)
class VhdMalformedTest {
  private static final int MIB = 1 << 20;

  private final Disks disks = new Disks();

  private HostFile make(String... options) throws IOException {
    try (BlockDevice device = disks.create("a.vhd", disks.creating(9 * MIB, options))) {
      Disks.write(device, Disks.random(5 * MIB, 1), 0);
    }
    return disks.file("a.vhd");
  }

  /** Changes the header and makes its checksum right again. */
  private static void putHeader(HostFile file, Struct.U32 field, long value) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(1024);
    file.readFully(header, 512);
    field.put(header, 0, value);
    file.write(DynamicDiskHeader.of(header.clear()).sealed().bytes(), 512);
  }

  /** Changes both footers and makes their checksums right again. */
  private static void putFooters(HostFile file, Struct.U64 field, long value) throws IOException {
    for (long offset : new long[] {0, file.size() - 512}) {
      ByteBuffer footer = ByteBuffer.allocate(512);
      file.readFully(footer, offset);
      field.put(footer, 0, value);
      file.write(HardDiskFooter.of(footer.clear()).sealed().bytes(), offset);
    }
  }

  private String refusal(Class<? extends IOException> type, boolean writable) throws IOException {
    OpenOptions options = disks.reading().withFormat("vhd");
    HostFile unchangeable =
        new ForwardingFile(disks.file("a.vhd")) {
          @Override
          public void write(ByteBuffer src, long offset) {
            throw new AssertionError("something is written");
          }

          @Override
          public void resize(long size) {
            throw new AssertionError("something is written");
          }
        };
    IOException refusal =
        assertThrows(
            type, () -> Images.open(unchangeable, writable ? options.asReadWrite() : options));
    String message = String.valueOf(refusal.getMessage());
    assertTrue(message.contains("a.vhd"), message);
    return message;
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 511, 3000, 3 << 20, 256})
  void aBlockSizeThatCannotBeIsRefused(long size) throws IOException {
    putHeader(make(), DynamicDiskHeader.BLOCK_SIZE, size);
    assertTrue(refusal(CorruptImageException.class, true).contains("block size"));
  }

  @Test
  void blocksThatAreTooLargeAreRefused() throws IOException {
    putHeader(make(), DynamicDiskHeader.BLOCK_SIZE, 1L << 31);
    refusal(UnsupportedImageException.class, false);
  }

  @Test
  void aTableThatIsTooShortOrTooLongIsRefused() throws IOException {
    putHeader(make(), DynamicDiskHeader.MAX_TABLE_ENTRIES, 4);
    assertTrue(refusal(CorruptImageException.class, false).contains("only 4 entries"));
    putHeader(disks.file("a.vhd"), DynamicDiskHeader.MAX_TABLE_ENTRIES, 0xffff_ffffL);
    refusal(UnsupportedImageException.class, false);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 512, 1024, 1000, 1L << 40, -512})
  void aTableThatLiesOverOtherMetadataOrNowhereIsRefused(long offset) throws IOException {
    HostFile file = make();
    ByteBuffer header = ByteBuffer.allocate(1024);
    file.readFully(header, 512);
    DynamicDiskHeader.TABLE_OFFSET.put(header, 0, offset);
    file.write(DynamicDiskHeader.of(header.clear()).sealed().bytes(), 512);
    assertTrue(refusal(CorruptImageException.class, false).contains("block allocation table"));
  }

  @Test
  void damagedCookiesAreRefused() throws IOException {
    HostFile file = make();
    file.write(ByteBuffer.allocate(1), 512);
    assertTrue(refusal(CorruptImageException.class, false).contains("no dynamic disk header"));
    file.write(ByteBuffer.allocate(1), 0);
    file.write(ByteBuffer.allocate(1), file.size() - 512);
    assertTrue(refusal(CorruptImageException.class, false).contains("no VHD footer"));
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 513, Long.MAX_VALUE, 1L << 40})
  void aHeaderThatIsNotInTheFileIsRefused(long offset) throws IOException {
    putFooters(make(), HardDiskFooter.DATA_OFFSET, offset);
    refusal(CorruptImageException.class, false);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -512, 1 << 20 | 1, Long.MAX_VALUE})
  void sizesThatCannotBeAreRefused(long size) throws IOException {
    putFooters(make(), HardDiskFooter.CURRENT_SIZE, size);
    if (size != 0) {
      refusal(ImageException.class, false);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 3, over metadata",
    "0, 4026531840, past the end",
    "1, 7, shared",
    "1, 8, overlapping"
  })
  void entriesThatCannotBeAreNotWritten(int block, long sector, String what) throws IOException {
    HostFile file = make();
    ByteBuffer entry = ByteBuffer.allocate(4).putInt(0, (int) sector);
    file.write(entry, 1536 + 4L * block);
    refusal(CorruptImageException.class, true);
    try (BlockDevice device = disks.open("a.vhd")) {
      assertTrue(
          device.feature(Checking.class).orElseThrow().check(Progress.NONE).errors() > 0, what);
    }
  }

  @Test
  void anEntryOverTheMetadataIsNotRead() throws IOException {
    HostFile file = make();
    file.write(ByteBuffer.allocate(4).putInt(0, 2), 1536);
    try (BlockDevice device = disks.open("a.vhd")) {
      CorruptImageException refusal =
          assertThrows(CorruptImageException.class, () -> device.read(ByteBuffer.allocate(512), 0));
      assertTrue(refusal.getMessage().contains("block 0"), refusal.getMessage());
    }
  }

  @Test
  void anEntryPastTheEndIsNotRead() throws IOException {
    HostFile file = make();
    file.write(ByteBuffer.allocate(4).putInt(0, 0x00ff_ffff), 1536);
    try (BlockDevice device = disks.open("a.vhd")) {
      CorruptImageException refusal =
          assertThrows(CorruptImageException.class, () -> device.read(ByteBuffer.allocate(512), 0));
      assertTrue(refusal.getMessage().contains("block 0"), refusal.getMessage());
      device.read(ByteBuffer.allocate(512), 2 * MIB);
    }
  }

  @Test
  void aShortFooterOfOldIsRead() throws IOException {
    byte[] content = Arrays.copyOf(Disks.random(5 * MIB, 1), 9 * MIB);
    for (String subformat : List.of("dynamic", "fixed")) {
      HostFile file = make("subformat", subformat);
      file.resize(file.size() - 1);
      assertArrayEquals(content, disks.content("a.vhd"));
      try (BlockDevice device = disks.write("a.vhd")) {
        Disks.write(device, new byte[100], 8 * MIB);
      }
      disks.assertClean("a.vhd");
      assertArrayEquals(content, disks.content("a.vhd"));
      disks.put("a.vhd", new MemoryFile("a.vhd"));
    }
  }

  @Test
  void aFixedDiskWhoseGuestWroteAHeaderIsStillFixed() throws IOException {
    byte[] evil = new byte[3 * MIB];
    byte[] dynamic = Samples.bytes("diff1.vhd");
    System.arraycopy(dynamic, 0, evil, 0, evil.length);
    try (BlockDevice device =
        disks.create("a.vhd", disks.creating(evil.length, "subformat", "fixed"))) {
      Disks.write(device, evil, 0);
    }
    assertArrayEquals(evil, disks.content("a.vhd"));
    try (BlockDevice device = disks.open("a.vhd")) {
      assertEquals("fixed", device.info().details().get("subformat"));
    }
  }

  @Test
  void anImageThatXenWasMovingIsReadAndNotWritten() throws IOException {
    HostFile file = make();
    for (long offset : new long[] {0, file.size() - 512}) {
      ByteBuffer footer = ByteBuffer.allocate(512);
      file.readFully(footer, offset);
      footer.put(0, "v_poison".getBytes(StandardCharsets.US_ASCII));
      file.write(HardDiskFooter.of(footer.clear()).sealed().bytes(), offset);
    }
    assertTrue(refusal(UnsupportedImageException.class, true).contains("journal"));
    assertEquals(9 * MIB, disks.content("a.vhd").length);
    assertTrue(disks.check("a.vhd").warnings() > 0);
  }

  @Test
  void anImageThatEarlyToolsHidIsRead() throws IOException {
    HostFile file = make("xen", "on");
    for (long offset : new long[] {0, file.size() - 512}) {
      ByteBuffer footer = ByteBuffer.allocate(512);
      file.readFully(footer, offset);
      HardDiskFooter.CREATOR_VERSION.put(footer, 0, 0x0001_0001);
      ByteBuffer sealed = ByteBuffer.allocate(512);
      sealed.put(HardDiskFooter.of(footer.clear()).sealed().bytes());
      HardDiskFooter.HIDDEN.put(sealed, 0, 1);
      file.write(sealed.clear(), offset);
    }
    try (BlockDevice device = disks.write("a.vhd")) {
      assertEquals(1, device.info().details().get("hidden"));
    }
    assertEquals(0, disks.check("a.vhd").errors());
    assertTrue(disks.check("a.vhd").warnings() > 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../a.vhd",
        "/etc/passwd",
        "\\\\server\\share\\a.vhd",
        "C:\\images\\a.vhd",
        "..\\secret\\a.vhd",
        "nbd://host/disk"
      })
  void namesThatLeadElsewhereAreDenied(String name, @TempDir Path folder) throws IOException {
    Path inside = Files.createDirectory(folder.resolve("inside"));
    Files.createDirectory(folder.resolve("secret"));
    OpenOptions options =
        OpenOptions.readOnly()
            .withFormats(Samples.FORMATS)
            .withReferences(ReferencePolicy.sameDirectory());
    byte[] child = childNaming(name);
    Path image = Files.write(inside.resolve("child.vhd"), child);
    for (Path other : List.of(folder.resolve("a.vhd"), folder.resolve("secret/a.vhd"))) {
      Files.write(other, Samples.bytes("dyn-base.vhd"));
    }
    assertThrows(ReferenceDeniedException.class, () -> Images.open(image, options));
    assertThrows(ReferenceDeniedException.class, () -> Images.open(image, options.asReadWrite()));
    assertArrayEquals(child, Files.readAllBytes(image));
  }

  /** The sample child with one name in all its locators. */
  private static byte[] childNaming(String name) throws IOException {
    byte[] image = Samples.bytes("diff1.vhd");
    ByteBuffer bytes = ByteBuffer.wrap(image);
    DynamicDiskHeader header = DynamicDiskHeader.of(bytes.slice(512, 1024));
    byte[] text = name.getBytes(StandardCharsets.UTF_16LE);
    bytes.put(3072, text);
    header =
        header.withParent(
            header.parentId(),
            0,
            name,
            List.of(new ParentLocator(ParentLocator.W2RU, 512, text.length, 3072)));
    bytes.put(512, header.bytes(), 0, 1024);
    return image;
  }

  @Test
  void theFirstNameThatIsThereIsTaken(@TempDir Path folder) throws IOException {
    byte[] image = Samples.bytes("diff1.vhd");
    ByteBuffer bytes = ByteBuffer.wrap(image);
    DynamicDiskHeader header = DynamicDiskHeader.of(bytes.slice(512, 1024));
    byte[] windows = "C:\\Disks\\dyn-base.vhd".getBytes(StandardCharsets.UTF_16LE);
    byte[] mac = "file://./gone.vhd".getBytes(StandardCharsets.UTF_8);
    bytes.put(3072, windows);
    bytes.put(3584, mac);
    header =
        header.withParent(
            header.parentId(),
            0,
            "dyn-base.vhd",
            List.of(
                new ParentLocator(ParentLocator.MAC, 1, 100, 4096),
                new ParentLocator(ParentLocator.W2KU, 1, windows.length, 3072),
                new ParentLocator(ParentLocator.MACX, 512, mac.length, 3584)));
    bytes.put(512, header.bytes(), 0, 1024);
    Files.write(folder.resolve("child.vhd"), image);
    Files.write(folder.resolve("dyn-base.vhd"), Samples.bytes("dyn-base.vhd"));
    try (BlockDevice device =
        Images.open(
            folder.resolve("child.vhd"),
            OpenOptions.readOnly()
                .withFormats(Samples.FORMATS)
                .withReferences(ReferencePolicy.sameDirectory()))) {
      assertEquals(
          "0fe55c8d5d35c8c193ab8d37c39862f0d02bc50f5624c97804214739427d72ad",
          Samples.sha256(Samples.content(device)));
    }
  }

  /** Differencing and encrypted disks, whose damage the contract of formats does not try. */
  @ParameterizedTest
  @ValueSource(strings = {"differencing", "encrypted"})
  void damageIsRefusedOrReadAround(String kind) throws IOException {
    boolean isChild = kind.equals("differencing");
    disks.create("p.vhd", disks.creating(MIB, "block_size", "16384")).close();
    byte[] golden = golden(isChild);
    long seed = Long.getLong("vdisk.seed", new Random().nextLong());
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    int opened = 0;
    int rounds = 3000;
    for (int round = 0; round < rounds; round++) {
      byte[] image = golden.clone();
      for (int i = 0; i <= random.nextInt(3); i++) {
        damage(ByteBuffer.wrap(image), random);
      }
      int length = random.nextInt(10) == 0 ? random.nextInt(image.length) : image.length;
      MemoryFile file = new MemoryFile("image", Arrays.copyOf(image, length));
      try {
        opened += use(file, random) ? 1 : 0;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ", round " + round, e);
      }
    }
    assertTrue(opened > rounds / 10 && opened < rounds, opened + " of " + rounds + " opened");
  }

  private byte[] golden(boolean isChild) throws IOException {
    try (BlockDevice device =
        disks.create(
            "golden",
            isChild
                ? disks.child("p.vhd", "vhd", "block_size", "16384")
                : disks.creating(MIB / 2, "xen", "on", "encrypt.format", "aes-xts-plain"))) {
      Disks.write(device, Disks.random(50_000, 1), 1000);
      Disks.write(device, Disks.random(100, 2), 400_000);
    }
    byte[] image = new byte[(int) disks.file("golden").size()];
    disks.file("golden").readFully(ByteBuffer.wrap(image), 0);
    return image;
  }

  /** Fields of headers with the checksum made right, tables, bitmaps, names; anything at all. */
  private static void damage(ByteBuffer image, Random random) {
    int at =
        switch (random.nextInt(4)) {
          case 0 -> random.nextInt(512);
          case 1 -> 512 + random.nextInt(1024);
          case 2 -> 1536 + random.nextInt(4096);
          default -> random.nextInt(image.capacity() - 8);
        };
    switch (random.nextInt(4)) {
      case 0 -> image.put(at, (byte) (image.get(at) ^ 1 << random.nextInt(8)));
      case 1 -> image.putInt(at & -4, random.nextInt());
      case 2 -> image.putInt(at & -4, random.nextInt(image.capacity() / 512 + 20));
      default -> image.putLong(at & -8, random.nextBoolean() ? 0 : -1);
    }
    if (random.nextInt(4) != 0) {
      ByteBuffer footer = HardDiskFooter.of(image.slice(0, 512)).sealed().bytes();
      image.put(0, footer, 0, 512);
      image.put(512, DynamicDiskHeader.of(image.slice(512, 1024)).sealed().bytes(), 0, 1024);
      if (random.nextBoolean()) {
        image.put(image.capacity() - 512, footer, 0, 512);
      }
    }
  }

  private boolean use(MemoryFile file, Random random) throws IOException {
    boolean writable = random.nextBoolean();
    OpenOptions options = disks.reading().withFormat("vhd");
    BlockDevice device;
    try {
      device = Images.open(file, writable ? options.asReadWrite() : options);
    } catch (IOException e) {
      return false;
    }
    try (device) {
      attempt(
          () -> device.feature(Checking.class).orElseThrow().check((done, t) -> done < 1 << 20));
      for (int i = 0; i < 8 && device.size() > 0; i++) {
        long offset = i == 0 ? 0 : (long) (random.nextDouble() * device.size());
        int length = (int) Math.min(20_000, device.size() - offset);
        attempt(() -> device.read(ByteBuffer.allocate(length), offset));
        attempt(() -> device.extentAt(offset, Math.max(1, length)));
        if (writable) {
          attempt(() -> device.write(ByteBuffer.allocate(length), offset));
          attempt(() -> device.discard(offset, length));
        }
      }
      attempt(device::flush);
    } catch (IOException e) {
      // What could not be written back.
    }
    return true;
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void attempt(Step step) {
    try {
      step.run();
    } catch (IOException | CancellationException e) {
      // That is how damage is to be told.
    }
  }
}

package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.ImageCommit;
import io.vdisk.ImageRebase;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.Emptying;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.Programs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which parent a disk lies over, who may say so, and how it gets another. */
class VhdxParentTest {
  private static final int SIZE = (5 << 20) + 512;
  private static final long SEED = 20261129;

  @TempDir Path folder;
  private byte[] model = new byte[SIZE];
  private final Random random = new Random(SEED);

  @BeforeEach
  void createChain() throws IOException {
    model = new byte[SIZE];
    try (BlockDevice base = Disks.create(path("base.vhdx"), SIZE, "block_size=1048576")) {
      Disks.change(base, model, 60, random);
    }
    try (BlockDevice child =
        Disks.createChild(path("child.vhdx"), "base.vhdx", "block_size=1048576")) {
      Disks.change(child, model, 40, random);
    }
  }

  private Path path(String name) {
    return folder.resolve(name);
  }

  private static Object guid(Path image) throws IOException {
    try (BlockDevice device = Disks.open(image, false)) {
      return device.info().details().get("data-write-guid");
    }
  }

  @Test
  void childReadsThroughItsParentAndTakesItsIdentity() throws IOException {
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
    assertEquals(List.of(), Disks.findings(path("child.vhdx")));
    try (BlockDevice child = Disks.open(path("child.vhdx"), false);
        BlockDevice base = Disks.open(path("base.vhdx"), false)) {
      Map<String, Object> details = child.info().details();
      assertEquals("differencing", details.get("subformat"));
      assertEquals(guid(path("base.vhdx")), details.get("parent-linkage"));
      assertEquals(base.info().details().get("virtual-disk-id"), details.get("virtual-disk-id"));
      assertEquals("base.vhdx", child.info().backing().orElseThrow().name());
    }
  }

  @Test
  void parentThatHasChangedIsRefused() throws IOException {
    try (BlockDevice base = Disks.open(path("base.vhdx"), true)) {
      base.write(ByteBuffer.wrap(new byte[] {1}), 0);
    }
    CorruptImageException refusal =
        assertThrows(CorruptImageException.class, () -> Disks.open(path("child.vhdx"), false));
    assertTrue(String.valueOf(refusal.getMessage()).contains("GUID"), refusal.toString());
    OpenOptions alone = OpenOptions.readOnly().withFormats(VhdxSubject.FORMATS).withoutBacking();
    Images.open(path("child.vhdx"), alone).close();
  }

  @Test
  void parentThatWasOnlyLookedAtIsNot() throws IOException {
    Disks.open(path("base.vhdx"), true).close();
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
  }

  @Test
  void parentIsRefusedWithoutAPolicyThatAllowsIt() {
    OpenOptions options = OpenOptions.readOnly().withFormats(VhdxSubject.FORMATS);
    assertThrows(ReferenceDeniedException.class, () -> Images.open(path("child.vhdx"), options));
  }

  /** A child whose locator has these paths. */
  private void writeLocator(Map<String, String> paths) throws IOException {
    Map<String, String> values = new LinkedHashMap<>();
    values.put(ParentLocator.LINKAGE, "{" + guid(path("base.vhdx")) + "}");
    values.putAll(paths);
    byte[] locator = new ParentLocator(values).encode();
    try (HostFile file = LocalFile.open(path("child.vhdx"), true)) {
      FileRanges ranges = new FileRanges("child");
      RegionTable.Region region =
          RegionTable.read(file, ranges).require(RegionTable.METADATA, "metadata", file);
      MetadataTable table = MetadataTable.read(file, region);
      long offset = table.end(8);
      file.write(ByteBuffer.wrap(locator), region.offset() + offset);
      file.write(
          table
              .with(
                  new MetadataTable.Item(
                      MetadataTable.PARENT_LOCATOR,
                      offset,
                      locator.length,
                      MetadataTable.IS_REQUIRED))
              .encode(),
          region.offset());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "..\\base.vhdx",
        "..\\..\\etc\\passwd",
        "\\etc\\passwd",
        "\\\\server\\share\\base.vhdx",
        "sub\\..\\..\\base.vhdx",
        "nbd:localhost:1",
      })
  void relativePathThatLeadsOutIsDenied(String name) throws IOException {
    Path inner = Files.createDirectory(path("inner"));
    Files.createDirectory(inner.resolve("sub"));
    writeLocator(Map.of(ParentLocator.RELATIVE_PATH, name));
    Files.move(path("child.vhdx"), inner.resolve("child.vhdx"));
    byte[] before = Files.readAllBytes(inner.resolve("child.vhdx"));
    for (boolean writable : new boolean[] {false, true}) {
      assertThrows(
          ReferenceDeniedException.class, () -> Disks.open(inner.resolve("child.vhdx"), writable));
    }
    assertArrayEquals(before, Files.readAllBytes(inner.resolve("child.vhdx")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\\\?\\C:\\disks\\base.vhdx",
        "\\\\?\\UNC\\server\\share\\base.vhdx",
        "\\\\server\\share\\base.vhdx",
        "/etc/passwd",
      })
  void absolutePathThatLeadsOutIsNotOpened(String name) throws IOException {
    writeLocator(Map.of(ParentLocator.ABSOLUTE_PATH, name));
    IOException refusal =
        assertThrows(IOException.class, () -> Disks.open(path("child.vhdx"), false));
    assertTrue(
        refusal instanceof ReferenceDeniedException || refusal instanceof NoSuchFileException,
        refusal.toString());
  }

  @Test
  void pathsAreTriedInTheOrderOfTheSpecification() throws IOException {
    writeLocator(
        Map.of(
            ParentLocator.RELATIVE_PATH,
            ".\\gone.vhdx",
            ParentLocator.ABSOLUTE_PATH,
            path("base.vhdx").toString()));
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
    writeLocator(Map.of(ParentLocator.RELATIVE_PATH, ".\\base.vhdx"));
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
  }

  @Test
  void secondLinkageIsAcceptedToo() throws IOException {
    Object base = guid(path("base.vhdx"));
    writeLocator(
        Map.of(
            ParentLocator.RELATIVE_PATH,
            "base.vhdx",
            ParentLocator.LINKAGE,
            Guid.random().inBraces(),
            ParentLocator.LINKAGE_2,
            "{" + base + "}"));
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
  }

  @Test
  void chainThatComesBackToItselfIsRefused() throws IOException {
    writeLocator(Map.of(ParentLocator.RELATIVE_PATH, "child.vhdx"));
    assertThrows(CorruptImageException.class, () -> Disks.open(path("child.vhdx"), false));
  }

  @Test
  void parentOfAnotherFormatIsRefused() throws IOException {
    Files.write(path("raw"), new byte[SIZE]);
    CreateOptions options =
        CreateOptions.overlay("vhdx", "raw", "raw")
            .withFormats(VhdxSubject.FORMATS)
            .withReferences(ReferencePolicy.sameDirectory());
    assertThrows(UnsupportedImageException.class, () -> Images.create(path("other.vhdx"), options));
    writeLocator(Map.of(ParentLocator.RELATIVE_PATH, "raw"));
    assertThrows(CorruptImageException.class, () -> Disks.open(path("child.vhdx"), false));
  }

  @Test
  void rebaseOntoAnotherParentKeepsTheDisk() throws IOException {
    byte[] other = new byte[SIZE];
    try (BlockDevice base = Disks.create(path("other.vhdx"), SIZE)) {
      Disks.change(base, other, 60, random);
    }
    try (BlockDevice below = Disks.open(path("other.vhdx"), false);
        BlockDevice child = Disks.open(path("child.vhdx"), true)) {
      assertTrue(ImageRebase.of(child, below, "other.vhdx", Optional.of("vhdx")).run() > 0);
    }
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
    assertEquals(List.of(), Disks.findings(path("child.vhdx")));
    try (BlockDevice child = Disks.open(path("child.vhdx"), false)) {
      assertEquals("other.vhdx", child.info().backing().orElseThrow().name());
      assertEquals(guid(path("other.vhdx")), child.info().details().get("parent-linkage"));
    }
  }

  @Test
  void flattenedChildStandsAlone() throws Exception {
    try (BlockDevice child = Disks.open(path("child.vhdx"), true)) {
      assertTrue(ImageRebase.flattening(child).run() >= 0);
    }
    Files.delete(path("base.vhdx"));
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
    assertEquals(List.of(), Disks.findings(path("child.vhdx")));
    try (BlockDevice child = Disks.open(path("child.vhdx"), true)) {
      assertEquals("dynamic", child.info().details().get("subformat"));
      Disks.change(child, model, 50, random);
    }
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
    Programs programs = new Programs(folder);
    Files.write(path("model.raw"), model);
    programs.img("compare", "-f", "raw", "-F", "vhdx", "model.raw", "child.vhdx");
  }

  @Test
  void diskThatStoodAloneGetsAParent() throws IOException {
    byte[] own = new byte[SIZE];
    try (BlockDevice alone =
        Disks.create(path("alone.vhdx"), SIZE, "block_size=1048576", "block_state_zero=off")) {
      Disks.write(alone, own, 1, random);
    }
    byte[] expected = Disks.read(path("base.vhdx"));
    try (BlockDevice alone = Disks.open(path("alone.vhdx"), true)) {
      alone
          .feature(BackingLink.class)
          .orElseThrow()
          .change(Optional.of("base.vhdx"), Optional.of("vhdx"));
      for (int block = 0; block < SIZE; block += 1 << 20) {
        if (alone.extentAt(block, 1).kind() != io.vdisk.Extent.Kind.HOLE) {
          int length = Math.min(1 << 20, SIZE - block);
          System.arraycopy(own, block, expected, block, length);
        }
      }
    }
    assertArrayEquals(expected, Disks.read(path("alone.vhdx")));
    assertEquals(List.of(), Disks.findings(path("alone.vhdx")));
    try (BlockDevice alone = Disks.open(path("alone.vhdx"), true)) {
      Disks.change(alone, expected, 50, random);
    }
    assertArrayEquals(expected, Disks.read(path("alone.vhdx")));
  }

  @Test
  void linkToAParentThatThePolicyDeniesIsNotChanged() throws IOException {
    OpenOptions options = OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS).withoutBacking();
    try (BlockDevice child = Images.open(path("child.vhdx"), options)) {
      BackingLink link = child.feature(BackingLink.class).orElseThrow();
      assertThrows(
          ReferenceDeniedException.class,
          () -> link.change(Optional.of("base.vhdx"), Optional.of("vhdx")));
    }
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
  }

  /** The base has another content then, and the child follows. */
  @Test
  void commitLeavesAnEmptyChildThatOpensAgain() throws IOException {
    try (HostFile baseFile = LocalFile.open(path("base.vhdx"), true);
        BlockDevice base =
            Images.open(baseFile, OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS));
        BlockDevice child =
            Images.open(
                path("child.vhdx"),
                OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS).withBacking(base))) {
      assertTrue(child.feature(Emptying.class).isPresent());
      assertTrue(ImageCommit.of(child, base).emptyingOverlay().run().toString().length() > 0);
    }
    assertArrayEquals(model, Disks.read(path("base.vhdx")));
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
    assertEquals(List.of(), Disks.findings(path("child.vhdx")));
    assertTrue(Files.size(path("child.vhdx")) <= 4 << 20, "its space was given back");
    try (BlockDevice child = Disks.open(path("child.vhdx"), true)) {
      Disks.change(child, model, 40, random);
    }
    assertArrayEquals(model, Disks.read(path("child.vhdx")));
  }

  /** Nobody looked at the parent: then it must be said to be the right one before it is used. */
  @Test
  void childThatWasMadeWithoutALookAtItsParentWaitsForALink() throws IOException {
    MemoryFile file = new MemoryFile("x");
    CreateOptions options =
        CreateOptions.of("vhdx", SIZE)
            .withFormats(VhdxSubject.FORMATS)
            .withBacking("base.vhdx", "vhdx")
            .withoutOpeningBacking();
    CreateSession.create(file, options);
    byte[] image = new byte[(int) file.size()];
    file.readFully(ByteBuffer.wrap(image), 0);
    Files.write(path("unlinked.vhdx"), image);
    assertThrows(CorruptImageException.class, () -> Disks.open(path("unlinked.vhdx"), false));
    OpenOptions alone =
        OpenOptions.readWrite()
            .withFormats(VhdxSubject.FORMATS)
            .withReferences(ReferencePolicy.sameDirectory())
            .withoutBacking();
    try (BlockDevice device = Images.open(path("unlinked.vhdx"), alone)) {
      device
          .feature(BackingLink.class)
          .orElseThrow()
          .change(Optional.of("base.vhdx"), Optional.of("vhdx"));
    }
    assertArrayEquals(Disks.read(path("base.vhdx")), Disks.read(path("unlinked.vhdx")));
  }
}

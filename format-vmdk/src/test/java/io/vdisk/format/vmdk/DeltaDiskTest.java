package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.ImageCommit;
import io.vdisk.ImageRebase;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.BackingLink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Chains of delta disks, and the numbers that tell whether a parent was changed. */
class DeltaDiskTest {
  private static final int SIZE = 3 << 20;

  @TempDir Path folder;

  private Path path(String name) {
    return folder.resolve(name);
  }

  private static long cid(BlockDevice device) {
    return (Long) device.info().details().get("cid");
  }

  private long cid(String image) throws IOException {
    try (BlockDevice device =
        Images.open(path(image), Disks.opening(false).withoutBacking().withoutLock())) {
      return cid(device);
    }
  }

  private static void write(BlockDevice device, int value, long offset, int length)
      throws IOException {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    device.write(ByteBuffer.wrap(bytes), offset);
  }

  @ParameterizedTest
  @ValueSource(strings = {"monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse"})
  void cidChangesAtTheFirstWriteOfAnOpeningAndNotBefore(String subformat) throws IOException {
    Disks.create(path("disk.vmdk"), SIZE, "subformat=" + subformat, "cid=0000abcd").close();
    try (BlockDevice device = Disks.open(path("disk.vmdk"), true)) {
      assertEquals(0xabcdL, cid(device));
      device.flush();
      device.read(ByteBuffer.allocate(10), 0);
      assertEquals(0xabcdL, cid("disk.vmdk"));
      write(device, 1, 0, 10);
      long first = cid("disk.vmdk");
      assertNotEquals(0xabcdL, first);
      assertEquals(first, cid(device));
      write(device, 2, 100_000, 10);
      assertEquals(first, cid("disk.vmdk"));
    }
    long before = cid("disk.vmdk");
    try (BlockDevice device = Disks.open(path("disk.vmdk"), true)) {
      device.discard(0, 65_536);
    }
    assertNotEquals(before, cid("disk.vmdk"));
  }

  @Test
  void childOfAParentThatWasChangedIsRefusedByBothNumbers() throws IOException {
    Disks.create(path("base.vmdk"), SIZE, "cid=00001111").close();
    Disks.createChild(path("child.vmdk"), "base.vmdk").close();
    Disks.open(path("child.vmdk"), false).close();
    try (BlockDevice base = Disks.open(path("base.vmdk"), true)) {
      write(base, 1, 0, 1);
    }
    CorruptImageException refusal =
        assertThrows(CorruptImageException.class, () -> Disks.open(path("child.vmdk"), false));
    assertTrue(refusal.getMessage().contains("parentCID is 00001111"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("base.vmdk"), refusal.getMessage());
    try (BlockDevice base = Disks.open(path("base.vmdk"), false);
        BlockDevice child =
            Images.open(path("child.vmdk"), Disks.opening(false).withBacking(base))) {
      assertTrue(
          Disks.findings(child).get(0).startsWith("ERROR"), Disks.findings(child).toString());
    }
  }

  @Test
  void chainOfTenReadsTheHighestThatHoldsAByte() throws IOException {
    byte[] model = new byte[SIZE];
    Random random = new Random(7);
    String below = "disk0.vmdk";
    Disks.create(path(below), SIZE).close();
    for (int i = 0; i < 10; i++) {
      String name = "disk" + (i + 1) + ".vmdk";
      String options = i % 2 == 0 ? "zeroed_grain=on" : "subformat=vmfsSparse";
      try (BlockDevice device = Disks.createChild(path(name), below, options)) {
        Disks.change(device, model, 30, random);
      }
      below = name;
    }
    assertArrayEquals(model, Disks.read(path(below)));
    assertEquals(
        List.of(),
        Disks.findings(path(below)).stream().filter(f -> f.startsWith("ERROR")).toList());
  }

  @Test
  void chainThatComesBackToItselfIsRefused() throws IOException {
    Disks.create(path("a.vmdk"), SIZE, "cid=0000000a").close();
    Disks.createChild(path("b.vmdk"), "a.vmdk", "cid=0000000b").close();
    byte[] bytes = Files.readAllBytes(path("a.vmdk"));
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    String looped =
        text.replace(
            "parentCID=ffffffff\ncreateType=\"monolithicSparse\"\n",
            "parentCID=0000000b\nparentFileNameHint=\"b.vmdk\"     \n");
    assertNotEquals(text, looped);
    Files.write(
        path("a.vmdk"), Arrays.copyOf(looped.getBytes(StandardCharsets.ISO_8859_1), bytes.length));
    CorruptImageException refusal =
        assertThrows(CorruptImageException.class, () -> Disks.open(path("a.vmdk"), false));
    assertTrue(refusal.getMessage().contains("comes back"), refusal.getMessage());
  }

  @Test
  void parentGoesThroughThePolicy() throws IOException {
    Disks.create(path("base.vmdk"), SIZE).close();
    Disks.createChild(path("child.vmdk"), "base.vmdk").close();
    OpenOptions deny = OpenOptions.readOnly().withFormats(VmdkSubject.FORMATS);
    assertThrows(ReferenceDeniedException.class, () -> Images.open(path("child.vmdk"), deny));
    Files.delete(path("base.vmdk"));
    IOException missing =
        assertThrows(IOException.class, () -> Disks.open(path("child.vmdk"), false));
    assertTrue(missing.getMessage().contains("base.vmdk"), missing.getMessage());
  }

  @Test
  void onlyVmdkLiesBelow() {
    UnsupportedImageException refusal =
        assertThrows(
            UnsupportedImageException.class,
            () ->
                Images.create(
                    path("child.vmdk"),
                    io.vdisk.CreateOptions.overlay("vmdk", "base.raw", "raw")
                        .withFormats(VmdkSubject.FORMATS)));
    assertTrue(refusal.getMessage().contains("not over raw"), refusal.getMessage());
  }

  @Test
  void commitEmptiesTheChildWhichGoesOnOverTheChangedParent() throws IOException {
    byte[] model = new byte[SIZE];
    Random random = new Random(8);
    try (BlockDevice base = Disks.create(path("base.vmdk"), SIZE)) {
      Disks.change(base, model, 50, random);
    }
    for (String options : List.of("zeroed_grain=on", "subformat=vmfsSparse")) {
      String name = options.hashCode() + ".vmdk";
      try (BlockDevice child = Disks.createChild(path(name), "base.vmdk", options)) {
        Disks.change(child, model, 50, random);
      }
      try (BlockDevice base = Disks.open(path("base.vmdk"), true);
          BlockDevice child = Images.open(path(name), Disks.opening(true).withBacking(base))) {
        var unused = ImageCommit.of(child, base).emptyingOverlay().run();
        assertArrayEquals(model, Disks.read(child));
        assertEquals(
            io.vdisk.Extent.Kind.HOLE,
            child.extentAt(0, SIZE).depth() == 0
                ? child.extentAt(0, SIZE).kind()
                : io.vdisk.Extent.Kind.HOLE);
      }
      assertArrayEquals(model, Disks.read(path("base.vmdk")));
      assertArrayEquals(model, Disks.read(path(name)), "parentCID followed the commit");
      assertTrue(Files.size(path(name)) < 500_000, "space was given back");
      try (BlockDevice child = Disks.open(path(name), true)) {
        Disks.change(child, model.clone(), 20, random);
      }
      assertEquals(
          List.of(),
          Disks.findings(path(name)).stream().filter(f -> f.startsWith("ERROR")).toList());
    }
  }

  @Test
  void rebaseKeepsTheDiskAndChangesNameAndNumber() throws IOException {
    byte[] model = new byte[SIZE];
    Random random = new Random(9);
    try (BlockDevice base = Disks.create(path("base.vmdk"), SIZE)) {
      Disks.change(base, model, 50, random);
    }
    try (BlockDevice other = Disks.create(path("another-base-with-a-long-name.vmdk"), SIZE)) {
      Disks.change(other, new byte[SIZE], 50, random);
    }
    try (BlockDevice child = Disks.createChild(path("child.vmdk"), "base.vmdk")) {
      Disks.change(child, model, 20, random);
    }
    String name = "another-base-with-a-long-name.vmdk";
    try (BlockDevice child = Disks.open(path("child.vmdk"), true);
        BlockDevice other = Disks.open(path(name), false)) {
      assertTrue(ImageRebase.of(child, other, name, Optional.of("vmdk")).run() > 0);
    }
    assertArrayEquals(model, Disks.read(path("child.vmdk")));
    try (BlockDevice child = Disks.open(path("child.vmdk"), true)) {
      assertEquals(name, child.info().backing().orElseThrow().name());
      assertEquals(cid(name), child.info().details().get("parent-cid"));
      long unused = ImageRebase.flattening(child).run();
    }
    try (BlockDevice child = Disks.open(path("child.vmdk"), true)) {
      assertEquals(Optional.empty(), child.info().backing());
      assertArrayEquals(model, Disks.read(child));
      BackingLink link = child.feature(BackingLink.class).orElseThrow();
      assertThrows(
          UnsupportedImageException.class,
          () -> link.change(Optional.of("base.raw"), Optional.of("raw")));
      assertThrows(
          UnsupportedImageException.class,
          () -> link.change(Optional.of("a\"b"), Optional.empty()));
    }
    assertEquals(List.of(), Disks.findings(path("child.vmdk")));
  }
}

package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.CrashImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The power fails while a descriptor changes, wherever the sectors divide it: what is left means
 * what the old text did or what the new one does.
 */
class DescriptorChangeTest {
  private static final int SECTOR = 512;
  private static final int ROOM = 20 * SECTOR;
  private static final int CUTS = 4;
  private static final String CHILD =
      """
      # Disk DescriptorFile
      version=1
      encoding="UTF-8"
      CID=0a1b2c3d
      parentCID=12345678
      createType="twoGbMaxExtentFlat"
      parentFileNameHint="base.vmdk"

      # Extent description
      RW 4192256 FLAT "disk-f001.vmdk" 0
      RW 999 FLAT "disk-f002.vmdk" 0

      # The Disk Data Base
      #DDB

      ddb.virtualHWVersion = "4"
      ddb.geometry.cylinders = "261"
      ddb.adapterType = "lsilogic"
      """;

  private final Random random = new Random(Long.getLong("vdisk.seed", 1));

  private interface Edit {
    Descriptor of(Descriptor text) throws IOException;
  }

  private static Descriptor parse(String text) throws IOException {
    return Descriptor.parse(text.getBytes(StandardCharsets.ISO_8859_1), "image");
  }

  /** What a text says, whatever its form. */
  private static List<Object> meaning(Descriptor text) throws IOException {
    List<Object> all = new ArrayList<>(List.of(text.cid(), text.parentCid()));
    all.add(text.hasParent() ? text.parentHint() : "");
    all.add(text.extents());
    all.add(text.createType());
    Map<String, String> dataBase = new TreeMap<>();
    for (String line : text.lines()) {
      if (DescriptorText.key(line).startsWith("ddb.")) {
        dataBase.putIfAbsent(DescriptorText.key(line), line.strip());
      }
    }
    all.add(dataBase);
    return all;
  }

  /** As QEMU looks for them: the first of that name, wherever it stands, up to the next quote. */
  private static String foundByName(Descriptor text) {
    String all = text.toString();
    int name = all.indexOf("parentFileNameHint");
    int cid = all.indexOf("parentCID=");
    return (name < 0 ? "" : all.substring(name, all.indexOf('"', name + 20)))
        + all.substring(cid, cid + 18);
  }

  private static HostFile write(HostFile file, String text, boolean isEmbedded) throws IOException {
    file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)), 0);
    if (isEmbedded) {
      file.resize(ROOM);
    }
    file.flush();
    return file;
  }

  /** Changes a text, with power cuts before and after each operation; how it ends. */
  private Descriptor change(String text, Edit edit, boolean isEmbedded) throws IOException {
    CrashDisk disk = new CrashDisk();
    HostFile file = write(disk.file("image"), text, isEmbedded);
    DescriptorPlace place = new DescriptorPlace(file, 0, isEmbedded ? ROOM : 0);
    Descriptor before = place.read();
    Descriptor after = edit.of(before);
    Set<Object> allowed = new HashSet<>(List.of(meaning(before), meaning(after)));
    Set<String> names = new HashSet<>(List.of(foundByName(before), foundByName(after)));
    disk.setHook(
        event -> {
          for (int i = 0; i < CUTS; i++) {
            CrashImage image = i == 0 ? disk.cutLosingAll() : disk.cut(random);
            Descriptor left =
                new DescriptorPlace(image.files().get(0), 0, isEmbedded ? ROOM : 0).read();
            boolean isGood = allowed.contains(meaning(left)) && names.contains(foundByName(left));
            assertTrue(isGood, () -> event + " leaves\n" + left + "\nof\n" + text);
          }
        });
    Descriptor result = place.replace(before, after);
    disk.setHook(event -> {});
    assertEquals(meaning(after), meaning(result));
    if (text.contains("# The Disk Data Base")) {
      assertInOrder(result);
    }
    assertEquals(result.toString(), place.read().toString());
    Descriptor durable =
        new DescriptorPlace(disk.cutLosingAll().files().get(0), 0, isEmbedded ? ROOM : 0).read();
    assertEquals(result.toString(), durable.toString());
    return result;
  }

  /** Comments that libvmdk looks for, and the entries of a disk's identity before them. */
  private static void assertInOrder(Descriptor text) {
    String all = text.toString();
    int extents = all.indexOf("# Extent description");
    int dataBase = all.indexOf("# The Disk Data Base");
    assertTrue(all.indexOf("RW ") > extents && extents > 0, all);
    assertTrue(all.lastIndexOf("RW ") < dataBase, all);
  }

  private static String shifted(String text, int bytes) {
    return bytes == 0
        ? text
        : text.replaceFirst("version=1\n", "version=1\n#" + "x".repeat(bytes) + "\n");
  }

  private void everywhere(String text, Edit edit) throws IOException {
    for (int bytes = 0; bytes < 640; bytes += 1 + random.nextInt(16)) {
      Descriptor unused = change(shifted(text, bytes), edit, bytes % 2 == 0);
      assertTrue(unused.toString().contains("version=1"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"b", "other.vmdk", "other-with-a-name-that-is-rather-longer.vmdk"})
  void anotherParentIsThereAsAWholeOrNotAtAll(String name) throws IOException {
    everywhere(CHILD, text -> text.withParent(0xabcdef01L, name));
    everywhere(CHILD.replace("\n", "\r\n"), text -> text.withParent(0xabcdef01L, name));
  }

  @Test
  void parentIsThereAsAWholeOrNotAtAllWhereNoneWas() throws IOException {
    String alone =
        CHILD
            .replace("parentCID=12345678", "parentCID=ffffffff")
            .replace("parentFileNameHint=\"base.vmdk\"\n", "");
    everywhere(alone, text -> text.withParent(7, "base.vmdk"));
    everywhere(alone.replace("parentCID=ffffffff\n", "parentCID=ffffffff\n\n"), t -> t.withCid(8));
  }

  @Test
  void parentIsGoneAsAWholeOrNotAtAll() throws IOException {
    everywhere(CHILD, Descriptor::withoutParent);
  }

  @Test
  void numbersOfStatesAreNeverHalfOfEach() throws IOException {
    everywhere(CHILD, text -> text.withCid(0xfedcba98L));
    everywhere(CHILD, text -> text.withParentCid(0xfedcba98L));
    everywhere(CHILD.replace("CID=0a1b2c3d", "CID=1"), text -> text.withCid(0xfedcba98L));
  }

  @Test
  void otherEntriesOfTheSameKeyDoNotComeToLight() throws IOException {
    everywhere(
        CHILD + "parentCID=00000001\nparentFileNameHint=\"stale.vmdk\"\nCID=2\n",
        text -> text.withParent(0xabcdef01L, "other-with-a-name-that-is-rather-longer.vmdk"));
  }

  /** Comments make room for digits; an extent at a sector's end may find none. */
  @Test
  void lastExtentHasTheOldOrTheNewSizeOrIsRefused() throws IOException {
    int refused = 0;
    for (int bytes = 0; bytes < 640; bytes++) {
      for (long sectors : new long[] {7, 998, 4_192_256}) {
        try {
          Descriptor unused =
              change(shifted(CHILD, bytes), text -> text.withLastExtent(sectors), bytes % 2 == 0);
          assertTrue(unused.toString().contains(" " + sectors));
        } catch (UnsupportedImageException e) {
          assertTrue(e.getMessage().contains("must fit in one sector"), e.getMessage());
          refused++;
        }
      }
    }
    assertTrue(refused < 640 * 3 / 10, refused + " were refused");
  }

  /** Others than us look for a parent before the extents, as it is with VMware's texts. */
  @Test
  void longerNameStaysInItsSectionWhereEntriesOfTheDataBaseCanMove() throws IOException {
    String text = CHILD + "ddb.longContentID = \"0123456789abcdef0123456789abcdef\"\n".repeat(5);
    assertTrue(text.length() > SECTOR, text);
    for (boolean isEmbedded : new boolean[] {false, true}) {
      Descriptor changed =
          change(text, t -> t.withParent(1, "other-with-a-longer-name.vmdk"), isEmbedded);
      String all = changed.toString();
      assertTrue(all.indexOf("parentFileNameHint=\"other") < all.indexOf("# Extent"), all);
      assertEquals(all.indexOf("ddb.adapterType"), all.lastIndexOf("ddb.adapterType"), all);
    }
  }

  @Test
  void manyChangesFindTheirRoomAgain() throws IOException {
    String text = shifted(CHILD, 380);
    for (int i = 0; i < 40; i++) {
      String name = "p".repeat(1 + random.nextInt(200)) + ".vmdk";
      int number = i;
      text = change(text, t -> t.withParent(number, name), i % 2 == 0).toString();
      assertTrue(text.length() < 3 * SECTOR, () -> "too long: " + name.length());
    }
  }

  @Test
  void entriesThatNoSectorHoldsAreRefusedAndNothingIsWritten() throws IOException {
    MemoryFile file = new MemoryFile("image");
    DescriptorPlace place = new DescriptorPlace(write(file, CHILD, false), 0, 0);
    Descriptor before = place.read();
    UnsupportedImageException refusal =
        assertThrows(
            UnsupportedImageException.class,
            () -> place.replace(before, before.withParent(1, "p".repeat(600))));
    assertTrue(refusal.getMessage().startsWith("image: "), refusal.getMessage());
    assertArrayEquals(before.bytes(), place.read().bytes());
  }

  @Test
  void textThatHasNoRoomIsRefusedAndNothingIsWritten() throws IOException {
    MemoryFile file = new MemoryFile("image");
    DescriptorPlace place = new DescriptorPlace(write(file, CHILD, true), 0, SECTOR);
    Descriptor before = place.read();
    assertThrows(
        UnsupportedImageException.class,
        () -> place.replace(before, before.withParent(1, "p".repeat(200))));
    assertArrayEquals(before.bytes(), place.read().bytes());
  }

  /** Another program left an older, longer text behind the end of this one. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatLiesBehindTheEndDoesNotComeToLight(boolean isEmbedded) throws IOException {
    String text = CHILD + "\0" + "RW 5 FLAT \"stale.vmdk\" 0\n".repeat(30);
    Descriptor changed =
        change(text, t -> t.withParent(1, "other-with-a-longer-name.vmdk"), isEmbedded);
    assertTrue(!changed.toString().contains("stale"), changed.toString());
  }

  @Test
  void textWithoutALastLineEndStaysWhole() throws IOException {
    String text = "version=1\nRW 5 FLAT \"a\" 0\nparentCID=ffffffff\nCID=1";
    Descriptor changed = change(text, t -> t.withParent(9, "base.vmdk"), false);
    assertEquals("base.vmdk", changed.parentHint().orElseThrow());
    assertEquals(
        Set.of("cid", "parentcid", "parentfilenamehint", "version"),
        new TreeSet<>(
            changed.lines().stream()
                .map(line -> DescriptorText.key(line).toLowerCase(java.util.Locale.ROOT))
                .filter(key -> !key.isEmpty())
                .toList()));
  }
}

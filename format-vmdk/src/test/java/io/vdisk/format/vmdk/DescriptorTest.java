package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DescriptorTest {
  /** As Workstation writes it, with a line that nobody knows. */
  private static final String TEXT =
      """
      # Disk DescriptorFile
      version=1
      encoding="windows-1252"
      CID=0a1b2c3d
      parentCID=ffffffff
      isNativeSnapshot="no"
      createType="twoGbMaxExtentSparse"

      # Extent description
      RW 4192256 SPARSE "d\u00efsk-s001.vmdk"
      RDONLY 63 ZERO
      NOACCESS 1000 FLAT "/dev/sda" 63
      RW 204800 VMFS "disk-flat.vmdk"

      # The Disk Data Base
      #DDB

      ddb.adapterType = "lsilogic"
      ddb.geometry.cylinders = "261"
      ddb.uuid = "60 00 C2 9d"
      """;

  private static Descriptor parse(String text) throws IOException {
    return Descriptor.parse(text.getBytes(StandardCharsets.ISO_8859_1), "image");
  }

  @Test
  void entriesAreFoundWhateverTheirCaseAndWithoutQuotes() throws IOException {
    Descriptor descriptor = parse(TEXT);
    assertEquals(0x0a1b2c3dL, descriptor.cid());
    assertFalse(descriptor.hasParent());
    assertEquals(Optional.of("twoGbMaxExtentSparse"), descriptor.createType());
    assertEquals(Optional.of("lsilogic"), descriptor.find("DDB.AdapterType"));
    assertEquals(Optional.empty(), descriptor.parentHint());
  }

  @Test
  void extentsHaveAccessSizeTypeNameAndOffset() throws IOException {
    assertEquals(
        List.of(
            new ExtentLine(ExtentAccess.RW, 4192256, ExtentType.SPARSE, "d\u00efsk-s001.vmdk", 0),
            new ExtentLine(ExtentAccess.RDONLY, 63, ExtentType.ZERO, "", 0),
            new ExtentLine(ExtentAccess.NOACCESS, 1000, ExtentType.FLAT, "/dev/sda", 63),
            new ExtentLine(ExtentAccess.RW, 204800, ExtentType.VMFS, "disk-flat.vmdk", 0)),
        parse(TEXT).extents());
  }

  @Test
  void nameIsReadInTheEncodingThatTheTextSays() throws IOException {
    String utf8 =
        new String("\u540d.vmdk".getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    Descriptor descriptor =
        parse(
            "version=1\nCID=1\nparentCID=2\nencoding=\"UTF-8\"\nparentFileNameHint=\""
                + utf8
                + "\"\n");
    assertEquals(Optional.of("\u540d.vmdk"), descriptor.parentHint());
    assertEquals(Optional.of("\u00e9.vmdk"), descriptor.withParent(7, "\u00e9.vmdk").parentHint());
    String gbk =
        new String(
            "\u540d".getBytes(java.nio.charset.Charset.forName("GBK")),
            StandardCharsets.ISO_8859_1);
    assertEquals(
        "\u540d",
        parse("version=1\nencoding=\"GBK\"\nRW 1 FLAT \"" + gbk + "\" 0\n")
            .extents()
            .get(0)
            .name());
  }

  @Test
  void whatAChangeDoesNotConcernStaysByteByByte() throws IOException {
    assertEquals(TEXT, parse(TEXT).toString());
    assertEquals(TEXT.replace("0a1b2c3d", "00000007"), parse(TEXT).withCid(7).toString());
    assertEquals(TEXT.replace("RW 204800 ", "RW 7 "), parse(TEXT).withLastExtent(7).toString());
    String child = parse(TEXT).withParent(0xabc, "base.vmdk").toString();
    assertEquals(
        TEXT.replace("parentCID=ffffffff", "parentCID=00000abc")
            .replace("ExtentSparse\"\n", "ExtentSparse\"\nparentFileNameHint=\"base.vmdk\"\n"),
        child);
    assertEquals(TEXT, parse(child).withoutParent().toString());
  }

  @Test
  void endsOfLinesStayWindows() throws IOException {
    String text = TEXT.replace("\n", "\r\n");
    assertEquals(text.replace("CID=0a1b2c3d", "CID=00000001"), parse(text).withCid(1).toString());
    String child = parse(text).withParent(1, "b").toString();
    assertTrue(child.contains("parentFileNameHint=\"b\"\r\n"), child);
  }

  @Test
  void textEndsAtItsFirstZeroByte() throws IOException {
    assertEquals("version=1\n", parse("version=1\n\0\0CID=1\n").toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "CID=1",
        "version=4",
        "version=1\nCID=123456789\n",
        "version=1\nCID=xyz\n",
        "version=1\nCID=1\nRW\n",
        "version=1\nCID=1\nRW 0 FLAT \"a\" 0\n",
        "version=1\nCID=1\nRW -1 FLAT \"a\" 0\n",
        "version=1\nCID=1\nRW 99999999999999999999 FLAT \"a\" 0\n",
        "version=1\nCID=1\nRW 1 FLAT \"a\" 99999999999999999999\n",
        "version=1\nCID=1\nRW 1 FLAT \"a 0\n",
        "version=1\nCID=1\nRW 1 FLAT\n",
        "version=1\nCID=1\nRW 1 ZERO \"a\"\n",
        "version=1\nCID=1\nRW 1 STRANGE \"a\"\n",
      })
  void whatHasNoMeaningIsRefusedByName(String text) {
    ImageException refusal =
        assertThrows(
            ImageException.class,
            () -> {
              Descriptor descriptor = parse(text);
              assertTrue(descriptor.cid() >= 0);
              assertTrue(descriptor.extents().isEmpty());
            });
    assertTrue(refusal.getMessage().startsWith("image: "), refusal.getMessage());
  }

  @Test
  void tooManyExtentsAreRefused() {
    String text = "version=1\n" + "RW 1 ZERO\n".repeat(Descriptor.MAX_EXTENTS + 1);
    assertThrows(ImageException.class, () -> parse(text).extents());
  }

  @Test
  void missingCidIsCorruption() {
    assertThrows(CorruptImageException.class, () -> parse("version=1\n").cid());
  }

  @Test
  void descriptorIsToldByItsFirstLines() {
    assertTrue(isOne("# Disk DescriptorFile\n"));
    assertTrue(isOne("\n# something\n version = 1\n"));
    assertFalse(isOne("# something\nCID=1\nversion=1\n"));
    assertFalse(isOne("version=17\n"));
  }

  private static boolean isOne(String text) {
    return Descriptor.isOne(text.getBytes(StandardCharsets.ISO_8859_1));
  }
}

package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Piece;
import io.vdisk.SequentialSource;
import io.vdisk.SequentialTarget;
import io.vdisk.file.MemoryFile;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The first disk of an archive of a virtual machine. */
class OvaTest {
  private static final String OVF =
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
          xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
        <References>
          <File ovf:href="second.vmdk" ovf:id="file2"/>
          <File ovf:href="first.vmdk" ovf:id="file1" ovf:size="1"/>
        </References>
        <DiskSection>
          <Info>Disks</Info>
          <Disk ovf:diskId="empty" ovf:capacity="1"/>
          <Disk ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:capacity="2097152"
            ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
          <Disk ovf:diskId="vmdisk2" ovf:fileRef="file2" ovf:capacity="1"/>
        </DiskSection>
      </Envelope>
      """;

  private final byte[] disk = new byte[2 << 20];
  private final Map<String, byte[]> files = new LinkedHashMap<>();

  OvaTest() throws IOException {
    byte[] noise = new byte[100_000];
    new Random(1).nextBytes(noise);
    System.arraycopy(noise, 0, disk, 500_000, noise.length);
    files.put("machine.ovf", OVF.getBytes(StandardCharsets.UTF_8));
    files.put("machine.mf", new byte[700]);
    files.put("second.vmdk", stream(new byte[1 << 20]));
    files.put("first.vmdk", stream(disk));
  }

  private static byte[] stream(byte[] disk) throws IOException {
    CreateOptions options =
        CreateOptions.of("vmdk", disk.length).withOption("subformat", "streamOptimized");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SequentialTarget target = Images.createStream(out, options)) {
      target.write(ByteBuffer.wrap(disk), 0);
      target.finish();
    }
    return out.toByteArray();
  }

  private byte[] archive() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
        entry.setSize(file.getValue().length);
        tar.putArchiveEntry(entry);
        tar.write(file.getValue());
        tar.closeArchiveEntry();
      }
    }
    return out.toByteArray();
  }

  private static byte[] read(byte[] archive) throws IOException {
    OpenOptions options = OpenOptions.readOnly().withFormat("ova");
    try (SequentialSource source = Images.openStream(new ByteArrayInputStream(archive), options)) {
      byte[] content = new byte[(int) source.info().virtualSize()];
      Piece piece = new Piece(1 << 20);
      while (source.next(piece)) {
        piece.buffer().get(content, (int) piece.offset(), piece.buffer().remaining());
      }
      return content;
    }
  }

  private void describe(String before, String after) {
    assertTrue(OVF.contains(before));
    files.put("machine.ovf", OVF.replace(before, after).getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void firstDiskIsReadWhereverItsFileLies() throws IOException {
    assertArrayEquals(disk, read(archive()));
  }

  @Test
  void fileThatIsCompressedOnceMoreIsRead() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(files.get("first.vmdk"));
    }
    files.put("first.vmdk", out.toByteArray());
    describe("ovf:id=\"file1\"", "ovf:id=\"file1\" ovf:compression=\"gzip\"");
    assertArrayEquals(disk, read(archive()));
  }

  @Test
  void archiveIsKnownByItsFirstFileAndRefusedAsAFile() throws IOException {
    MemoryFile file = new MemoryFile("machine.ova");
    file.write(ByteBuffer.wrap(archive()), 0);
    assertEquals("ova", Images.probe(file).get(0).format().name());
    ImageException refusal =
        assertThrows(ImageException.class, () -> Images.open(file, OpenOptions.readOnly()));
    assertTrue(refusal.getMessage().contains("one pass"), refusal.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "ovf:fileRef=\"file1\", ovf:fileRef=\"file9\", no file has the id file9",
    "first.vmdk, third.vmdk, does not hold its disk third.vmdk",
    "<Info>, <Inf>, is broken",
    "specifications/vmdk.html#, specifications/iso.html#, has the format",
    "ovf:size=\"1\", ovf:chunkSize=\"1\", cut into chunks",
    "ovf:size=\"1\", ovf:compression=\"bzip2\", compressed as bzip2",
    "<Envelope, <!DOCTYPE x SYSTEM \"http://example.com/x\"><Envelope, is broken"
  })
  void descriptionThatCannotBeFollowedIsRefused(String before, String after, String sentence)
      throws IOException {
    describe(before, after);
    byte[] archive = archive();
    ImageException refusal = assertThrows(ImageException.class, () -> read(archive));
    assertTrue(refusal.getMessage().contains(sentence), refusal.getMessage());
  }

  @Test
  void diskBeforeItsDescriptionIsRefused() throws IOException {
    byte[] ovf = files.remove("machine.ovf");
    files.put("machine.ovf", ovf);
    byte[] archive = archive();
    assertThrows(ImageException.class, () -> read(archive));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 100, 512, 1000, 5000, 60_000, 200_000})
  void archiveThatIsCutOffIsRefused(int length) throws IOException {
    byte[] part = Arrays.copyOf(archive(), length);
    assertThrows(IOException.class, () -> read(part));
  }
}

package io.vdisk.format.qcow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.SecretException;
import io.vdisk.feature.Checking;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The AES that qcow had from the beginning. */
class QcowEncryptionTest {
  private static final String CONTENT =
      "f1a5ff62cba85db37718560425abb22b319893f25a8b61f1d61795b388732477";

  private static CreateOptions creation() {
    return CreateOptions.of("qcow", 1 << 20)
        .withFormats(List.of(new QcowFormat()))
        .withOption("encrypt.format", "aes")
        .withSecrets(Samples.SECRETS);
  }

  @Test
  void whatQemuEncipheredReadsWithItsPassphrase() throws IOException {
    MemoryFile file = Samples.load("aes-qemu.qcow");
    try (BlockDevice device = Images.open(file, Samples.reading().withSecrets(Samples.SECRETS))) {
      assertEquals(CONTENT, Samples.sha256(device));
      assertEquals(true, device.info().details().get("encrypted"));
    }
  }

  /** Nothing in the image tells. */
  @Test
  void wrongPassphraseReadsNoise() throws IOException {
    MemoryFile file = Samples.load("aes-qemu.qcow");
    OpenOptions wrong =
        Samples.reading()
            .withSecrets((f, p) -> Optional.of("disk".getBytes(StandardCharsets.US_ASCII)));
    try (BlockDevice device = Images.open(file, wrong)) {
      assertNotEquals(CONTENT, Samples.sha256(device));
    }
  }

  @Test
  void metadataNeedsNoPassphraseAndDataDoes() throws IOException {
    MemoryFile file = Samples.load("aes-qemu.qcow");
    try (BlockDevice device = Images.open(file, Samples.reading().withoutBacking())) {
      assertEquals(1 << 20, device.size());
      assertEquals(0, device.feature(Checking.class).orElseThrow().check(Progress.NONE).errors());
      SecretException e = assertThrows(SecretException.class, () -> Samples.content(device));
      assertEquals(
          "aes-qemu.qcow: encrypted (aes), and no passphrase was given for it", e.getMessage());
    }
    assertThrows(
        SecretException.class, () -> Images.open(file, Samples.writing().withoutBacking()));
  }

  @Test
  void passphraseIsWipedAfterUse() throws IOException {
    List<byte[]> given = new ArrayList<>();
    CreateOptions options =
        creation()
            .withSecrets(
                (file, purpose) -> {
                  given.add("vdisk".getBytes(StandardCharsets.US_ASCII));
                  return Optional.of(given.get(given.size() - 1));
                });
    Images.create(new MemoryFile("image"), options).close();
    assertEquals(2, given.size(), "asked for creation, and for opening");
    for (byte[] bytes : given) {
      assertEquals(0, bytes[0] | bytes[1] | bytes[2] | bytes[3] | bytes[4]);
    }
  }

  @Test
  void hostSeesNoPlainText() throws IOException {
    MemoryFile file = new MemoryFile("image");
    try (BlockDevice device = Images.create(file, creation())) {
      device.write(ByteBuffer.wrap("plain text".getBytes(StandardCharsets.US_ASCII)), 5000);
      assertEquals(Optional.empty(), device.feature(UnitWriter.class));
    }
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.readFully(all, 0);
    assertFalse(new String(all.array(), StandardCharsets.ISO_8859_1).contains("plain"));
  }

  @Test
  void creationThatMakesNoSenseIsRefused() {
    for (Map.Entry<String, String> option :
        Map.of("encrypt.format", "luks", "xen", "on").entrySet()) {
      CreateOptions options = creation().withOption(option.getKey(), option.getValue());
      assertThrows(
          IllegalArgumentException.class, () -> Images.create(new MemoryFile("image"), options));
    }
    CreateOptions none = creation().withSecrets(io.vdisk.Secrets.NONE);
    assertThrows(SecretException.class, () -> Images.create(new MemoryFile("image"), none));
  }
}

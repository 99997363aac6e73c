package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encrypted VHDs and where their keys come from. */
final class EncryptedDiskTest {
  private static final byte[] KEY =
      "0123456789abcdef0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);

  @TempDir Path folder;

  private final TapDisk disk =
      new TapDisk(0, DiskPolicy.DEFAULT, new RamDisks(8 << 20), GuestRing::start);
  private final GuestRing guest = new GuestRing();
  private Path image;

  @BeforeEach
  void make() throws Exception {
    image = folder.resolve("disk.vhd");
    make(image, KEY);
  }

  @AfterEach
  void letGo() throws Exception {
    disk.close(true);
  }

  private static void make(Path image, byte[] key) throws Exception {
    Images.create(
            image,
            CreateOptions.of("vhd", 8 << 20)
                .withOption("xen", "on")
                .withOption("encrypt.format", "aes-xts-plain")
                .withSecrets((file, purpose) -> Optional.of(key.clone())))
        .close();
  }

  private OpenRequest request() {
    return OpenRequest.of("vhd:" + image);
  }

  private DiskException refused(Errno errno, OpenRequest request) {
    DiskException e = assertThrows(DiskException.class, () -> disk.open(request));
    assertEquals(errno.number(), e.number(), e.getMessage());
    assertFalse(e.getMessage().contains("0123"), "a key is in no message");
    return e;
  }

  private void readAndWrite() throws Exception {
    disk.serve(guest.transport());
    Bytes.write(guest.device, 4096, 0x5a, 4096);
    assertArrayEquals(Bytes.of(0x5a, 4096), Bytes.read(guest.device, 4096, 4096));
  }

  @Test
  void theKeyOfTheRequestOpensIt() throws Exception {
    disk.open(request().withKey(new DiskKey(KEY)));
    readAndWrite();
    disk.pause();
    disk.resume(ResumeRequest.SAME);
    assertArrayEquals(Bytes.of(0x5a, 4096), Bytes.read(guest.device, 4096, 4096));
    disk.close(false);
    String file = Files.readString(image, StandardCharsets.ISO_8859_1);
    assertFalse(file.contains("Z".repeat(16)), "nothing lies there in clear");
  }

  @Test
  void theKeyFileBesideItOpensIt() throws Exception {
    Files.write(folder.resolve("disk,aes-xts-plain,256.key"), KEY);
    disk.open(request());
    readAndWrite();
  }

  @Test
  void theLongerKeyIsLookedForFirst() throws Exception {
    byte[] longer = Bytes.of(7, 64);
    Path other = folder.resolve("other.vhd");
    make(other, longer);
    Files.write(folder.resolve("other,aes-xts-plain,256.key"), KEY);
    Files.write(folder.resolve("other,aes-xts-plain,512.key"), longer);
    disk.open(OpenRequest.of("vhd:" + other));
    readAndWrite();
  }

  @Test
  void aWrongOrMissingKeyIsNoKey() throws Exception {
    refused(Errno.ENOKEY, request());
    refused(Errno.ENOKEY, request().withKey(new DiskKey(Bytes.of(1, 32))));
    refused(Errno.ENOKEY, request().withKey(new DiskKey(Bytes.of(1, 31))));
    Files.write(folder.resolve("disk,aes-xts-plain,256.key"), Bytes.of(1, 32));
    refused(Errno.ENOKEY, request());
    disk.open(request().withKey(new DiskKey(KEY)));
  }

  @Test
  void aKeyFileOfTheWrongLengthIsRefused() throws Exception {
    Path file = Files.write(folder.resolve("disk,aes-xts-plain,512.key"), KEY);
    DiskException e = refused(Errno.EINVAL, request());
    assertTrue(e.getMessage().contains(file + " has not 64 bytes"), e.getMessage());
  }

  @Test
  void aKeyForADiskThatIsNotEncryptedIsRefused() throws Exception {
    Path plain = folder.resolve("plain.vhd");
    Images.create(plain, CreateOptions.of("vhd", 8 << 20)).close();
    OpenRequest request = OpenRequest.of("vhd:" + plain).withKey(new DiskKey(KEY));
    DiskException e = refused(Errno.EINVAL, request);
    assertTrue(e.getMessage().contains("no image of it is encrypted"), e.getMessage());
    disk.open(OpenRequest.of("vhd:" + plain));
  }

  @Test
  void aKeyIsWipedWithItsDisk() throws Exception {
    DiskKey key = new DiskKey(KEY);
    disk.open(request().withKey(key));
    assertArrayEquals(KEY, key.copy());
    disk.close(false);
    assertArrayEquals(new byte[32], key.copy());
  }
}

package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Passphrases on the command line. */
class EncryptedImagesTest {
  private static final String LUKS =
      "encrypt.format=luks,encrypt.iter-time=1,encrypt.key-secret=sec0";

  @TempDir Path folder;
  private Shell shell;
  private byte[] content = {};
  private String secret = "";

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
    content = shell.disk("/raw", 1 << 20);
    Files.writeString(shell.file("/passphrase"), "swordfish");
    secret = "secret,id=sec0,file=" + shell.file("/passphrase");
  }

  private int vdisk(String... words) {
    return shell.run(Vdisk::run, words);
  }

  private int encipher(String format, String options) {
    return vdisk(
        "convert", "--object", secret, "-f", "raw", "-O", format, "-o", options, "/raw", "/image");
  }

  private void assertDeciphers(String... options) throws IOException {
    String[] words = new String[options.length + 6];
    words[0] = "convert";
    System.arraycopy(options, 0, words, 1, options.length);
    words[options.length + 1] = "-O";
    words[options.length + 2] = "raw";
    words[options.length + 3] = "-q";
    words[options.length + 4] = "/image";
    words[options.length + 5] = "/again";
    assertEquals(0, vdisk(words), shell.err);
    assertArrayEquals(content, Files.readAllBytes(shell.file("/again")));
  }

  @ParameterizedTest
  @CsvSource({"qcow2, " + "luks", "qcow2, aes", "qcow, aes"})
  void imageIsEncipheredAndDeciphered(String format, String method) throws IOException {
    String options = "encrypt.format=" + method + ",encrypt.key-secret=sec0";
    assertEquals(0, encipher(format, method.equals("luks") ? LUKS : options), shell.err);
    String host = Files.readString(shell.file("/image"), StandardCharsets.ISO_8859_1);
    assertFalse(host.contains("swordfish"));

    assertDeciphers("--object", secret, "--source-secret", "sec0");
    assertDeciphers("--object=secret,data=swordfish,id=a", "--source-secret=a");
    assertDeciphers("--object=secret,format=base64,data=c3dvcmRmaXNo,id=a", "--source-secret=a");
  }

  @Test
  void imageOptionsNameTheSource() throws IOException {
    assertEquals(0, encipher("qcow2", LUKS), shell.err);
    String image =
        "driver=qcow2,encrypt.format=luks,encrypt.key-secret=sec0,file.filename="
            + shell.file("/image");

    assertEquals(
        0,
        vdisk("convert", "--object", secret, "--image-opts", "-O", "raw", image, "/again"),
        shell.err);
    assertArrayEquals(content, Files.readAllBytes(shell.file("/again")));
    assertEquals(0, vdisk("check", "--object", secret, "--image-opts", image), shell.err);
    assertEquals(0, vdisk("info", "--image-opts", image), shell.err);
    assertTrue(shell.out.startsWith("image: /image\n"), shell.out);
  }

  @Test
  void metadataNeedsNoPassphrase() {
    assertEquals(0, encipher("qcow2", LUKS), shell.err);

    assertEquals(0, vdisk("info", "/image"), shell.err);
    assertTrue(shell.out.contains("\nencrypted: yes\n"), shell.out);
    assertTrue(
        shell.out.contains("        cipher alg: aes-256\n        cipher mode: xts\n"), shell.out);
    assertTrue(
        shell.out.contains("        slots:\n            [0]:\n                active: true\n"),
        shell.out);
    assertEquals(0, vdisk("info", "--output=json", "/image"), shell.err);
    assertTrue(shell.out.contains("\"encrypted\": true"), shell.out);
    assertEquals(0, vdisk("check", "/image"), shell.err);
  }

  @Test
  void missingAndWrongPassphrasesAreSaidInOneSentence() {
    assertEquals(0, encipher("qcow2", LUKS), shell.err);

    assertEquals(1, vdisk("convert", "-O", "raw", "/image", "/again"));
    assertEquals(
        "vdisk: /image: encrypted (luks), and no passphrase was given for it"
            + " (--object secret,id=ID,file=PATH and --source-secret ID give one)\n",
        shell.err);
    String wrong = "secret,id=a,data=catfish";
    assertEquals(
        1,
        vdisk("convert", "--object", wrong, "--source-secret", "a", "-O", "raw", "/image", "/b"));
    assertEquals("vdisk: /image: the passphrase is wrong\n", shell.err);
    assertFalse(Files.exists(shell.file("/b")));
  }

  @Test
  void compressionWithEncryptionIsRefused() {
    assertEquals(
        1,
        vdisk(
            "convert",
            "-c",
            "--object",
            secret,
            "-O",
            "qcow2",
            "-f",
            "raw",
            "-o",
            LUKS,
            "/raw",
            "/b"));
    assertEquals("vdisk: encrypted qcow2 images cannot store compressed units\n", shell.err);
    assertFalse(Files.exists(shell.file("/b")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "secret,id=a",
        "secret,data=catfish",
        "secret,id=a,data=catfish,file=/dev/null",
        "secret,id=a,data=catfish,format=hex",
        "secret,id=a,data=catfish!,format=base64x",
        "secret,id=a,catfish",
        "secret,id=a,data=x,catfish=1",
        "secret,id=sec0,data=catfish",
        "tls-creds,id=a,data=catfish"
      })
  void objectThatIsNoneIsRefusedAndNotShown(String object) {
    assertEquals(
        1,
        vdisk("convert", "--object", secret, "--object", object, "-O", "qcow2", "/raw", "/image"));
    assertFalse(shell.err.contains("catfish"), shell.err);
    assertFalse(Files.exists(shell.file("/image")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "driver=qcow2",
        "driver=qcow2,file.filename=/x,file.driver=nbd",
        "driver=qcow2,file.filename=/x,backing.driver=raw",
        "file.filename"
      })
  void imageOptionsThatAreUnknownAreRefused(String image) {
    assertEquals(1, vdisk("info", "--image-opts", image));
    assertTrue(shell.err.contains("--image-opts"), shell.err);
  }

  @Test
  void secretThatIsNotThereIsRefused() {
    assertEquals(1, vdisk("convert", "--source-secret", "no", "-O", "raw", "/raw", "/image"));
    assertTrue(shell.err.contains("there is no --object secret,id=no"), shell.err);
  }

  @Test
  void objectsAreWiped() throws Exception {
    byte[] shown;
    io.vdisk.Secrets secrets;
    try (SecretObjects objects = SecretObjects.of(java.util.List.of("secret,id=a,data=catfish"))) {
      secrets = objects.named(Optional.of("a"));
      shown = secrets.secret("image", "passphrase").orElseThrow();
      assertEquals("catfish", new String(shown, StandardCharsets.US_ASCII));
    }
    assertArrayEquals(new byte[7], secrets.secret("image", "passphrase").orElseThrow());
  }

  @Test
  void passphraseIsChanged() throws IOException {
    assertEquals(0, encipher("qcow2", LUKS), shell.err);
    Files.writeString(shell.file("/new"), "herring");
    String other = "secret,id=new,file=" + shell.file("/new");
    String[] words = {"amend", "--object", secret, "--object", other, "--source-secret", "sec0"};

    assertEquals(
        0,
        amend(words, "encrypt.state=active,encrypt.new-secret=new,encrypt.iter-time=10"),
        shell.err);
    assertEquals(0, amend(words, "encrypt.state=inactive,encrypt.old-secret=sec0"), shell.err);
    assertEquals(1, amend(words, "encrypt.state=inactive,encrypt.old-secret=sec0"));
    assertTrue(shell.err.contains("the passphrase is wrong"), shell.err);
    assertEquals("", shell.out);

    assertDeciphers("--object", other, "--source-secret", "new");
    assertEquals(0, vdisk("info", "--output=json", "/image"));
    assertEquals(1, shell.out.lines().filter(line -> line.contains("\"active\": true")).count());
  }

  private int amend(String[] words, String options) {
    String[] all = java.util.Arrays.copyOf(words, words.length + 3);
    all[words.length] = "-o";
    all[words.length + 1] = options;
    all[words.length + 2] = "/image";
    return vdisk(all);
  }

  @Test
  void qemuReadsTheImage() throws Exception {
    Requirements.need("qemu-img");
    assertEquals(0, encipher("qcow2", LUKS), shell.err);
    Process qemu =
        new ProcessBuilder(
                "qemu-img",
                "convert",
                "--object",
                secret,
                "--image-opts",
                "driver=qcow2,encrypt.key-secret=sec0,file.filename=" + shell.file("/image"),
                "-O",
                "raw",
                shell.file("/again").toString())
            .inheritIO()
            .start();
    assertEquals(0, qemu.waitFor());
    assertArrayEquals(content, Files.readAllBytes(shell.file("/again")));
  }
}

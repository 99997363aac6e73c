package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Chains, probing, references, ownership: what happens between a name and a device. */
class OpenSessionTest {
  private final Map<String, HostLog> disk = new HashMap<>();
  private final List<String> open = new ArrayList<>();

  @AfterEach
  void everyFileThatTheLibraryOpenedIsClosed() {
    assertEquals(List.of(), open);
  }

  @Test
  void recognisesTheFormatByItsMagic() throws IOException {
    HostFile image = file("a", "LINK:");
    try (BlockDevice device = Images.open(image, options())) {
      assertEquals("link", device.info().format());
    }
  }

  @Test
  void whatOnlyRawMatchesMustBeCalledRaw() throws IOException {
    HostFile image = file("a", "whatever");
    UnsupportedImageException e =
        assertThrows(UnsupportedImageException.class, () -> Images.open(image, options()));
    assertTrue(e.getMessage().contains("raw"), e.getMessage());
    try (BlockDevice device = Images.open(image, options().withFormat("raw"))) {
      assertEquals(8, device.size());
    }
  }

  @Test
  void unknownFormatIsRefusedByName() {
    UnsupportedImageException e =
        assertThrows(
            UnsupportedImageException.class,
            () -> Images.open(file("a", "LINK:"), options().withFormat("qed")));
    assertTrue(e.getMessage().contains("'qed'"), e.getMessage());
    assertTrue(e.getMessage().contains("link, raw"), e.getMessage());
  }

  @Test
  void twoFormatsThatAreEquallySureAreRefused() {
    OpenOptions both =
        options().withFormats(List.of(new LinkFormat("link"), new LinkFormat("ring")));
    assertThrows(UnsupportedImageException.class, () -> Images.open(file("a", "LINK:"), both));
  }

  @Test
  void twoFormatsOfOneNameAreAnErrorOfTheInstallation() {
    assertThrows(
        ServiceConfigurationError.class,
        () -> InstalledFormats.of(List.of(new LinkFormat("link"), new LinkFormat("link"))));
  }

  @Test
  void formatIsFoundByItsAliases() {
    ImageFormat link = new LinkFormat("link");
    InstalledFormats formats = InstalledFormats.of(List.of(link, new WholeFormat()));
    assertEquals(Optional.of(link), formats.named("linked"));
    assertEquals(Optional.empty(), formats.named("qed"));
  }

  @Test
  void formatThatOnlyOpensSaysSoOfAllElse() {
    ImageFormat format = new LinkFormat("link");
    CreateOptions options = CreateOptions.of("link", 512).withFormats(List.of(format));
    assertEquals(List.of(), format.creationOptions());
    assertRefused("link images cannot be created", () -> Images.create(new HostLog(), options));
    assertRefused(
        "the size of link images cannot be measured",
        () -> format.measure(Optional.empty(), options));
    assertRefused(
        "link images cannot be read as a stream",
        () -> format.openStream(InputStream.nullInputStream(), OpenOptions.readOnly()));
    assertRefused(
        "link images cannot be written as a stream",
        () -> format.createStream(OutputStream.nullOutputStream(), options));
  }

  @Test
  void referencesAreDeniedUnlessAPolicyAllowsThem() {
    file("b", "LINK:");
    ReferenceDeniedException e =
        assertThrows(
            ReferenceDeniedException.class,
            () ->
                Images.open(file("a", "LINK:b"), options().withReferences(ReferencePolicy.deny())));
    assertEquals("b", e.reference().name());
    assertTrue(e.getMessage().startsWith("a names its backing file 'b'"), e.getMessage());
  }

  @Test
  void chainIsReadThrough() throws IOException {
    file("c", "raw bytes");
    file("b", "LINK:c");
    try (BlockDevice device = Images.open(file("a", "LINK:b"), options())) {
      assertTrue(device.capabilities().contains(Capability.BACKING));
      assertArrayEquals("raw bytes".getBytes(StandardCharsets.US_ASCII), read(device, 0, 9));
      assertEquals(2, device.extentAt(0, 9).depth());
    }
  }

  @Test
  void backingFormatOverridesWhatWouldBeRecognised() throws IOException {
    file("b", "LINK:x");
    try (BlockDevice device =
        Images.open(file("a", "LINK:b"), options().withBackingFormat("raw"))) {
      assertArrayEquals("LINK:x".getBytes(StandardCharsets.US_ASCII), read(device, 0, 6));
    }
  }

  @Test
  void chainThatComesBackToItselfIsCorrupt() {
    file("b", "LINK:a");
    CorruptImageException e =
        assertThrows(
            CorruptImageException.class, () -> Images.open(file("a", "LINK:b"), options()));
    assertTrue(e.getMessage().contains("comes back to a"), e.getMessage());
  }

  @Test
  void chainDeeperThanTheLimitIsRefused() {
    file("c", "LINK:");
    file("b", "LINK:c");
    OpenOptions two = options().withLimits(Limits.DEFAULT.withChainDepth(2));
    UnsupportedImageException e =
        assertThrows(UnsupportedImageException.class, () -> Images.open(file("a", "LINK:b"), two));
    assertTrue(e.getMessage().startsWith("b: the chain is deeper than 2"), e.getMessage());
  }

  @Test
  void callersBackingServesInsteadOfWhatTheImageNamesAndStaysOpen() throws IOException {
    BlockDevice mine = Images.open(file("mine", "my bytes"), options().withFormat("raw"));
    try (BlockDevice device = Images.open(file("a", "LINK:missing"), options().withBacking(mine))) {
      assertArrayEquals("my bytes".getBytes(StandardCharsets.US_ASCII), read(device, 0, 8));
    }
    assertArrayEquals("my".getBytes(StandardCharsets.US_ASCII), read(mine, 0, 2));
    mine.close();
  }

  @Test
  void imageOpenedWithoutItsBackingTellsOfItselfAndRefusesToRead() throws IOException {
    try (BlockDevice device = Images.open(file("a", "LINK:missing"), options().withoutBacking())) {
      assertEquals("missing", device.info().backing().orElseThrow().name());
      assertThrows(ReferenceDeniedException.class, () -> read(device, 0, 1));
    }
  }

  @Test
  void brokenImageFurtherDownClosesEverythingAbove() {
    file("b", "BAD");
    assertThrows(CorruptImageException.class, () -> Images.open(file("a", "LINK:b"), options()));
    assertFalse(open.contains("b"));
  }

  private static void assertRefused(String reason, Executable call) {
    assertEquals(reason, assertThrows(UnsupportedImageException.class, call).getMessage());
  }

  private OpenOptions options() {
    return OpenOptions.readOnly()
        .withFormats(List.of(new LinkFormat("link"), new WholeFormat()))
        .withReferences(reference -> opened(reference));
  }

  private HostFile opened(Reference reference) throws IOException {
    HostLog file = disk.get(reference.name());
    if (file == null) {
      throw new IOException("no file " + reference.name());
    }
    open.add(reference.name());
    return named(file, reference.name(), () -> open.remove(reference.name()));
  }

  private HostFile file(String name, String content) {
    HostLog file = new HostLog();
    file.bytes = content.getBytes(StandardCharsets.US_ASCII);
    disk.put(name, file);
    return named(file, name, () -> {});
  }

  private static HostFile named(HostLog file, String name, Runnable onClose) {
    return new ForwardingFile(file) {
      @Override
      public String name() {
        return name;
      }

      @Override
      public Object key() {
        return name;
      }

      @Override
      public void close() {
        onClose.run();
      }
    };
  }

  private static byte[] read(BlockDevice device, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    device.read(buffer, offset);
    return buffer.array();
  }

  private static String content(HostFile file) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) file.size());
    file.readFully(buffer, 0);
    return new String(buffer.array(), StandardCharsets.US_ASCII);
  }

  /** "LINK:" and the name of the backing file: a disk of 16 bytes that holds nothing itself. */
  private static final class LinkFormat implements ImageFormat {
    private final String name;

    LinkFormat(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public List<String> aliases() {
      return List.of(name + "ed");
    }

    @Override
    public Probe probe(HostFile file) throws IOException {
      String content = content(file);
      return content.startsWith("LINK:") || content.startsWith("BAD") ? Probe.MAGIC : Probe.NO;
    }

    @Override
    public BlockDevice open(HostFile file, OpenContext context) throws IOException {
      String content = content(file);
      if (content.startsWith("BAD")) {
        throw new CorruptImageException(file.name() + ": bad");
      }
      String backing = content.substring(5);
      Optional<Reference> reference =
          backing.isEmpty()
              ? Optional.empty()
              : Optional.of(
                  new Reference(Reference.Kind.BACKING, backing, Optional.empty(), file, false));
      ImageInfo info = ImageInfo.builder(name, 16, 16).backing(reference).build();
      Optional<BlockDevice> below = context.backing(reference);
      return context.device(new Plain(info, (offset, length) -> Mapping.backing(length)), below);
    }
  }

  /** The file as it is. */
  private static final class WholeFormat implements ImageFormat {
    @Override
    public String name() {
      return "raw";
    }

    @Override
    public Probe probe(HostFile file) {
      return Probe.WEAK;
    }

    @Override
    public BlockDevice open(HostFile file, OpenContext context) throws IOException {
      ImageInfo info = ImageInfo.builder("raw", file.size(), 1).build();
      return context.device(
          new Plain(info, (offset, length) -> Mapping.stored(file, offset, length, false)),
          context.backing(Optional.empty()));
    }
  }

  /** The two methods of a read-only layout. */
  private record Plain(ImageInfo info, Where where) implements ImageLayout {
    @Override
    public Mapping map(long offset, long length) {
      return where.map(offset, length);
    }
  }

  @FunctionalInterface
  private interface Where {
    Mapping map(long offset, long length);
  }
}

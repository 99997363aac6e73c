package io.vdisk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an image in {@code images/} may name. */
class ReferencePolicyTest {
  @TempDir Path folder;
  private Path images;
  private Path below;
  private HostFile image;

  @BeforeEach
  void makeFiles() throws IOException {
    folder = folder.toRealPath();
    images = Files.createDirectory(folder.resolve("images"));
    below = Files.createDirectory(images.resolve("below"));
    write(images.resolve("base"), 1);
    write(below.resolve("base"), 2);
    write(folder.resolve("secret"), 3);
    image = LocalFile.open(write(images.resolve("image"), 0), false);
  }

  @AfterEach
  void close() throws IOException {
    image.close();
  }

  private static Path write(Path file, int content) throws IOException {
    return Files.write(file, new byte[] {(byte) content});
  }

  private Reference reference(String name, boolean writable) {
    return new Reference(Reference.Kind.BACKING, name, Optional.empty(), image, writable);
  }

  /** The first byte of what the policy opens. */
  private int open(ReferencePolicy policy, String name) throws IOException {
    try (HostFile file = policy.open(reference(name, false))) {
      assertFalse(file.canWrite());
      ByteBuffer first = ByteBuffer.allocate(1);
      file.readFully(first, 0);
      return first.get(0);
    }
  }

  private String assertDenied(ReferencePolicy policy, String name) {
    ReferenceDeniedException denied =
        assertThrows(ReferenceDeniedException.class, () -> open(policy, name));
    assertTrue(denied.getMessage().contains(image + " names its backing file '" + name + "': "));
    assertEquals(name, denied.reference().name());
    return denied.getMessage();
  }

  @Nested
  class SameDirectory {
    private final ReferencePolicy policy = ReferencePolicy.sameDirectory();

    @Test
    void aNeighbourIsOpened() throws IOException {
      assertEquals(1, open(policy, "base"));
      assertEquals(1, open(policy, "./base"));
      assertEquals(1, open(policy, "below/../base"));
    }

    @Test
    void anAbsoluteNameOfANeighbourIsOpened() throws IOException {
      assertEquals(1, open(policy, images.resolve("base").toString()));
    }

    @Test
    void itGoesWithThePageCacheAsTheImageDoes() throws IOException {
      image.close();
      image = LocalFile.open(images.resolve("image"), false, true, PageCache.DROPPED);
      for (ReferencePolicy each : new ReferencePolicy[] {policy, ReferencePolicy.any()}) {
        try (HostFile base = each.open(reference("base", false));
            HostFile made = each.create(reference("made" + each.hashCode(), true))) {
          assertEquals(PageCache.DROPPED, base.pageCache());
          assertEquals(PageCache.DROPPED, made.pageCache());
        }
      }
    }

    @Test
    void whatLiesBelowOrAboveIsNot() {
      for (String name : new String[] {"below/base", "../secret", folder + "/secret"}) {
        String message = assertDenied(policy, name);
        assertTrue(message.contains("ReferencePolicy.within(folder)"), message);
        assertTrue(message.contains("does not lie in " + images), message);
      }
    }

    @Test
    void itIsTheFolderOfTheNameByWhichTheImageWasOpened() throws IOException {
      Path link = Files.createSymbolicLink(below.resolve("link"), images.resolve("image"));
      image.close();
      image = LocalFile.open(link, false);

      assertEquals(2, open(policy, "base"));
    }

    @Test
    void aFolderThatIsALinkIsTheFolderItself() throws IOException {
      Path link = Files.createSymbolicLink(folder.resolve("link"), images);
      image.close();
      image = LocalFile.open(link.resolve("image"), false);

      assertEquals(1, open(policy, "base"));
      assertEquals(1, open(policy, images.resolve("base").toString()));
      assertEquals(1, open(policy, link.resolve("base").toString()));
    }

    @Test
    void anImageInMemoryHasNoNeighbours() throws IOException {
      image.close();
      image = new MemoryFile("memory");

      assertDenied(policy, "base");
      assertDenied(policy, images.resolve("base").toString());
    }
  }

  @Nested
  class Within {
    private ReferencePolicy policy;

    @BeforeEach
    void takeImages() {
      policy = ReferencePolicy.within(images);
    }

    @Test
    void whatLiesInTheRootOrBelowIsOpened() throws IOException {
      assertEquals(1, open(policy, "base"));
      assertEquals(2, open(policy, "below/base"));
      assertEquals(2, open(policy, below.resolve("base").toString()));
    }

    @Test
    void whatLiesOutsideIsNot() {
      assertDenied(policy, "../secret");
      assertDenied(policy, folder.resolve("secret").toString());
      assertDenied(policy, "below/../../secret");
      assertDenied(ReferencePolicy.within(below), "base");
    }

    @Test
    void aRootThatIsOnlyThePrefixOfANameHoldsNothing() throws IOException {
      Files.createDirectory(folder.resolve("images2"));
      write(folder.resolve("images2/base"), 4);

      assertDenied(policy, "../images2/base");
    }

    @Test
    void anImageInMemoryMayNameAbsolutely() throws IOException {
      image.close();
      image = new MemoryFile("memory");

      assertEquals(1, open(policy, images.resolve("base").toString()));
      assertDenied(policy, "base");
    }

    @Test
    void whatDoesNotExistOutsideIsDeniedLikeWhatDoes() {
      assertDenied(policy, "../nothing");
      assertDenied(policy, "/nowhere/nothing");
      assertThrows(NoSuchFileException.class, () -> open(policy, "nothing"));
    }

    @Test
    void aLinkThatStaysInsideIsFollowed() throws IOException {
      Files.createSymbolicLink(images.resolve("link"), Path.of("below/base"));

      assertEquals(2, open(policy, "link"));
    }

    @Test
    void aLinkThatLeadsOutIsNot() throws IOException {
      Files.createSymbolicLink(images.resolve("link"), folder.resolve("secret"));
      Files.createSymbolicLink(images.resolve("folder"), folder);

      assertDenied(policy, "link");
      assertDenied(policy, "folder/secret");
      assertDenied(ReferencePolicy.sameDirectory(), "link");
    }

    @Test
    void aLinkToNowhereOrToItselfIsNot() throws IOException {
      Files.createSymbolicLink(images.resolve("out"), Path.of("/nowhere/nothing"));
      Files.createSymbolicLink(images.resolve("loop"), Path.of("loop"));

      assertThrows(IOException.class, () -> open(policy, "out"));
      assertThrows(IOException.class, () -> open(policy, "loop"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nbd://host/disk",
        "nbd:unix:/run/socket",
        "https://host/disk",
        "json:{\"driver\":\"nbd\"}",
        "fd:3",
        ":",
        "base:1",
        "https:base\n"
      })
  void whatQemuReadsAsAProtocolIsDenied(String name) {
    for (ReferencePolicy policy : allButDeny()) {
      assertDenied(policy, name);
    }
  }

  @Test
  void aColonBehindASlashIsPartOfAFileName() throws IOException {
    write(images.resolve("a:b"), 5);

    for (ReferencePolicy policy : allButDeny()) {
      assertEquals(5, open(policy, "./a:b"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "base\0", "\0"})
  void whatIsNoFileNameIsDenied(String name) {
    for (ReferencePolicy policy : allButDeny()) {
      assertDenied(policy, name);
    }
  }

  @Test
  void foldersPipesAndDevicesAreDenied() throws Exception {
    Process mkfifo = new ProcessBuilder("mkfifo", images.resolve("pipe").toString()).start();
    assertEquals(0, mkfifo.waitFor());

    for (String name : new String[] {"below", ".", "pipe"}) {
      assertDenied(ReferencePolicy.within(folder), name);
    }
    String message = assertDenied(ReferencePolicy.within(Path.of("/dev")), "/dev/null");
    assertTrue(message.contains("ReferencePolicy.any() would allow it"), message);
  }

  @Test
  void nothingIsNamedUnlessAllowed() {
    assertDenied(ReferencePolicy.deny(), "base");
  }

  @Test
  void anyOpensWhatIsNamedWhereverItLies() throws IOException {
    assertEquals(1, open(ReferencePolicy.any(), "base"));
    assertEquals(3, open(ReferencePolicy.any(), "../secret"));
    assertEquals(3, open(ReferencePolicy.any(), folder.resolve("secret").toString()));
  }

  @Test
  void jsonNamesThatStandForAPlainFileAreJudgedByItsPlace() throws IOException {
    String inside = json(images.resolve("base"));
    String outside = json(folder.resolve("secret"));

    assertEquals(1, open(ReferencePolicy.sameDirectory(), inside));
    assertEquals(1, open(ReferencePolicy.within(folder), inside));
    assertEquals(3, open(ReferencePolicy.any(), outside));
    assertDenied(ReferencePolicy.sameDirectory(), outside);
    assertDenied(ReferencePolicy.deny(), inside);
    assertDenied(ReferencePolicy.within(folder), json(images.resolve("../../etc")));
  }

  @Test
  void jsonNameIsFromWhereTheProcessWorks() {
    // As in QEMU; the folder of the image has such a file.
    for (ReferencePolicy policy : List.of(ReferencePolicy.any(), ReferencePolicy.sameDirectory())) {
      assertThrows(IOException.class, () -> open(policy, json(Path.of("base"))));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "json:{\"driver\":\"nbd\",\"host\":\"h\"}",
        "json:{\"file.filename\":\"nbd://h\"}",
        "json:{\"file.filename\":\"x\",\"file.filename\":\"x\"}",
        "json:{",
        "json:",
        "nbd+unix:///x?socket=y"
      })
  void nameThatStandsForNoPlainFileIsDeniedByEveryPolicy(String name) {
    for (ReferencePolicy policy :
        List.of(ReferencePolicy.deny(), ReferencePolicy.sameDirectory(), ReferencePolicy.any())) {
      assertDenied(policy, name);
    }
  }

  @Test
  void recordedFormatWinsOverThatInAJsonName() {
    String name = json(images.resolve("base"));
    assertEquals(Optional.of("qcow2"), reference(name, false).openFormat());
    assertEquals(
        Optional.of("raw"),
        new Reference(Reference.Kind.BACKING, name, Optional.of("raw"), image, false).openFormat());
    assertEquals(Optional.empty(), reference("json:{", false).openFormat());
  }

  private static String json(Path file) {
    return "json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\""
        + file
        + "\"}}";
  }

  @Test
  void anyReadsTheFilePrefixAsQemuDoes() throws IOException {
    assertEquals(3, open(ReferencePolicy.any(), "file:" + folder.resolve("secret")));
    assertEquals(3, open(ReferencePolicy.any(), "file://" + folder.resolve("secret")));
    assertThrows(NoSuchFileException.class, () -> open(ReferencePolicy.any(), "file:base"));
    assertDenied(ReferencePolicy.sameDirectory(), "file:" + images.resolve("base"));
  }

  @Test
  void whatIsOpenedCanBeWrittenIfTheReferenceIsToBe() throws IOException {
    for (ReferencePolicy policy : allButDeny()) {
      try (HostFile file = policy.open(reference("base", true))) {
        file.write(ByteBuffer.wrap(new byte[] {9, 9}), 0);
      }
      assertArrayEquals(new byte[] {9, 9}, Files.readAllBytes(images.resolve("base")));
    }
  }

  @Test
  void whatAnUnlockedImageNamesIsNotLockedEither() throws IOException {
    HostFile unlocked =
        new ForwardingFile(LocalFile.open(images.resolve("image"), false, false)) {};
    image.close();
    image = unlocked;
    for (ReferencePolicy policy : allButDeny()) {
      try (HostFile file = policy.open(reference("base", true))) {
        assertFalse(file.isLocked());
      }
    }
  }

  @Test
  void aFileIsCreatedByTheSameRules() throws IOException {
    ReferencePolicy[] policies = allButDeny();
    for (int i = 0; i < policies.length; i++) {
      ReferencePolicy policy = policies[i];
      try (HostFile file = policy.create(reference("new" + i, true))) {
        assertEquals(0, file.size());
        assertTrue(file.canWrite());
        assertTrue(Files.isRegularFile(images.resolve("new" + i)));
      }
      assertThrows(
          FileAlreadyExistsException.class, () -> policy.create(reference("base", true)).close());
      assertCreationDenied(policy, "nbd:new");
      assertCreationDenied(policy, "");
    }
    assertCreationDenied(ReferencePolicy.sameDirectory(), "below/new");
    assertCreationDenied(ReferencePolicy.sameDirectory(), "../new");
    assertCreationDenied(ReferencePolicy.within(images), folder.resolve("new").toString());
    assertCreationDenied(ReferencePolicy.deny(), "new");
    assertFalse(Files.exists(folder.resolve("new")));
    assertArrayEquals(new byte[] {1}, Files.readAllBytes(images.resolve("base")));
  }

  @Test
  void aFileIsNotCreatedThroughALink() throws IOException {
    Files.createSymbolicLink(images.resolve("link"), folder.resolve("new"));
    Files.createSymbolicLink(images.resolve("folder"), folder);

    assertThrows(
        FileAlreadyExistsException.class,
        () -> ReferencePolicy.within(images).create(reference("link", true)).close());
    assertCreationDenied(ReferencePolicy.within(images), "folder/new");
    assertFalse(Files.exists(folder.resolve("new")));
  }

  @Test
  void inAnotherFileSystemTheRulesAreTheSame() throws IOException {
    try (FileSystem memory = Jimfs.newFileSystem(Configuration.unix())) {
      Path inside = Files.createDirectory(memory.getPath("/images"));
      write(inside.resolve("base"), 6);
      write(memory.getPath("/secret"), 7);
      image.close();
      image = LocalFile.open(write(inside.resolve("image"), 0), false);

      assertEquals(6, open(ReferencePolicy.sameDirectory(), "base"));
      assertEquals(6, open(ReferencePolicy.within(inside), "/images/base"));
      assertDenied(ReferencePolicy.sameDirectory(), "../secret");
      assertEquals(7, open(ReferencePolicy.any(), "../secret"));
    }
  }

  @Test
  void theGuardSeesThatAnotherFileWasOpened() throws IOException {
    FolderGuard guard = new FolderGuard(images);
    Files.createSymbolicLink(images.resolve("folder"), folder);
    try (HostFile secret = LocalFile.open(folder.resolve("secret"), false);
        HostFile base = LocalFile.open(below.resolve("base"), false)) {
      assertTrue(guard.holds(below.resolve("base"), base.key()));
      assertFalse(guard.holds(images.resolve("base"), secret.key()));
      assertThrows(
          IOException.class, () -> guard.holds(images.resolve("folder/secret"), secret.key()));
    }
  }

  @Test
  void aNameThatBecomesALinkMeanwhileIsNotFollowed() throws IOException {
    image =
        changing(
            () -> {
              Files.delete(images.resolve("base"));
              Files.createSymbolicLink(images.resolve("base"), folder.resolve("secret"));
            });
    FileSystemException refused =
        assertThrows(FileSystemException.class, () -> open(ReferencePolicy.within(images), "base"));
    assertTrue(refused.getMessage().contains("is not a file"), refused.getMessage());
  }

  @Test
  void whatLiesElsewhereAfterAFolderWasExchangedIsDenied() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    write(other.resolve("base"), 3);
    image =
        changing(
            () -> {
              Files.move(below, folder.resolve("moved"));
              Files.createSymbolicLink(below, other);
            });
    assertThrows(IOException.class, () -> open(ReferencePolicy.within(images), "below/base"));
  }

  /** The image; the policy asks it whether it is locked between its look at a name and opening. */
  private HostFile changing(IoAction action) throws IOException {
    return new ForwardingFile(image) {
      @Override
      public boolean isLocked() {
        try {
          action.run();
        } catch (IOException e) {
          throw new AssertionError(e);
        }
        return super.isLocked();
      }
    };
  }

  @FunctionalInterface
  private interface IoAction {
    void run() throws IOException;
  }

  private void assertCreationDenied(ReferencePolicy policy, String name) {
    assertThrows(
        ReferenceDeniedException.class, () -> policy.create(reference(name, true)).close());
  }

  private ReferencePolicy[] allButDeny() {
    return new ReferencePolicy[] {
      ReferencePolicy.sameDirectory(), ReferencePolicy.within(images), ReferencePolicy.any()
    };
  }
}

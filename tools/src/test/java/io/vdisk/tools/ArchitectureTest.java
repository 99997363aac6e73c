package io.vdisk.tools;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import io.vdisk.ReferencePolicy;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What the compiler cannot express of the architecture, and that each rule finds who breaks it. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.vdisk");

  /** Methods that open, make or delete the file that a path names. */
  private static final Set<String> OPENING =
      Set.of(
          "java.nio.channels.FileChannel.open",
          "java.nio.channels.AsynchronousFileChannel.open",
          "java.nio.file.Files.newByteChannel",
          "java.nio.file.Files.newInputStream",
          "java.nio.file.Files.newOutputStream",
          "java.nio.file.Files.newBufferedReader",
          "java.nio.file.Files.newBufferedWriter",
          "java.nio.file.Files.readAllBytes",
          "java.nio.file.Files.readAllLines",
          "java.nio.file.Files.readString",
          "java.nio.file.Files.lines",
          "java.nio.file.Files.write",
          "java.nio.file.Files.writeString",
          "java.nio.file.Files.copy",
          "java.nio.file.Files.move",
          "java.nio.file.Files.createFile",
          "java.nio.file.Files.delete",
          "java.nio.file.Files.deleteIfExists",
          "java.nio.file.spi.FileSystemProvider.newByteChannel",
          "java.nio.file.spi.FileSystemProvider.newFileChannel",
          "java.nio.file.spi.FileSystemProvider.newAsynchronousFileChannel",
          "io.vdisk.Images.create",
          "io.vdisk.Images.open",
          "io.vdisk.file.HostFile.of",
          "io.vdisk.file.LocalFile.create",
          "io.vdisk.file.LocalFile.open",
          "io.vdisk.file.LocalFile.openDirect");

  /** Classes whose constructors take a file's name as a string. */
  private static final Set<String> OPENING_CONSTRUCTORS =
      Set.of(
          "java.io.FileInputStream",
          "java.io.FileOutputStream",
          "java.io.FileReader",
          "java.io.FileWriter",
          "java.io.RandomAccessFile");

  private static final ArchRule FORMATS_REACH_THE_HOST_THROUGH_HOST_FILES =
      noClasses()
          .that()
          .resideInAPackage("io.vdisk.format..")
          .should()
          .dependOnClassesThat(
              describe(
                  "belong to java.nio.channels or are a java.io.File*",
                  target ->
                      target.getPackageName().startsWith("java.nio.channels")
                          || target.getName().startsWith("java.io.File")
                              && !target.isAssignableTo(Exception.class)));

  /**
   * Whoever opens a path that an image names does it as a policy. {@code Images} and the tools open
   * what their callers name, and {@code CreateSession} deletes what a policy created. The control
   * plane of a tapdisk opens its own sockets, pipes and locks.
   */
  private static final ArchRule POLICIES_OPEN_WHAT_IMAGES_NAME =
      noClasses()
          .that(
              not(resideInAnyPackage(
                      "io.vdisk.file..",
                      "io.vdisk.testkit..",
                      "io.vdisk.tools..",
                      "io.vdisk.backend.tap.control.."))
                  .and(not(outermost("io.vdisk.Images")))
                  .and(not(outermost("io.vdisk.spi.CreateSession")))
                  .and(not(policies())))
          .should()
          .accessTargetWhere(describe("it opens a path", ArchitectureTest::opensPath));

  private static final ArchRule METADATA_DOES_NOT_KNOW_DEVICES =
      noClasses()
          .that()
          .resideInAPackage("io.vdisk.spi.metadata..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("io.vdisk.BlockDevice");

  @Test
  void everyModuleIsSeen() {
    for (String name :
        List.of(
            "io.vdisk",
            "io.vdisk.format.raw",
            "io.vdisk.format.qcow",
            "io.vdisk.format.qcow2",
            "io.vdisk.format.vhd",
            "io.vdisk.format.vmdk",
            "io.vdisk.backend.tap",
            "io.vdisk.host.linux",
            "io.vdisk.tools")) {
      assertTrue(CLASSES.containPackage(name), name);
    }
  }

  @Test
  void formatsReachTheHostThroughHostFilesOnly() {
    FORMATS_REACH_THE_HOST_THROUGH_HOST_FILES.check(CLASSES);
  }

  @Test
  void formatThatReachesTheHostByItselfIsFound() {
    assertEquals(
        Set.of("channelOpen", "file", "scanner", "stream"),
        found(FORMATS_REACH_THE_HOST_THROUGH_HOST_FILES, "io.vdisk.format.wrong"));
  }

  @Test
  void onlyPoliciesOpenWhatImagesName() {
    POLICIES_OPEN_WHAT_IMAGES_NAME.check(CLASSES);
  }

  @Test
  void whoeverElseOpensAPathIsFound() {
    assertEquals(
        Set.of(
            "channelOpen",
            "delete",
            "directFile",
            "hostFile",
            "imageOpen",
            "localFile",
            "methodReference",
            "ownPolicy",
            "scanner",
            "stream"),
        found(POLICIES_OPEN_WHAT_IMAGES_NAME, "io.vdisk.format.wrong"));
  }

  @Test
  void metadataDoesNotKnowDevices() {
    METADATA_DOES_NOT_KNOW_DEVICES.check(CLASSES);
  }

  @Test
  void metadataThatKnowsDevicesIsFound() {
    assertEquals(
        Set.of("size"), found(METADATA_DOES_NOT_KNOW_DEVICES, "io.vdisk.spi.metadata.wrong"));
  }

  /** The names of the methods in {@code folder} that the rule complains of. */
  private static Set<String> found(ArchRule rule, String folder) {
    JavaClasses wrong = new ClassFileImporter().importPackages(folder);
    List<String> complaints = rule.evaluate(wrong).getFailureReport().getDetails();
    Set<String> methods = new TreeSet<>();
    for (JavaClass type : wrong) {
      type.getMethods().stream()
          .filter(
              method ->
                  complaints.stream()
                      .anyMatch(text -> text.startsWith("Method <" + method.getFullName() + ">")))
          .forEach(method -> methods.add(method.getName()));
    }
    return methods;
  }

  private static DescribedPredicate<JavaClass> outermost(String name) {
    return describe(
        "belong to " + name,
        type -> type.getName().equals(name) || type.getName().startsWith(name + "$"));
  }

  /** The policies of the API; a format that brings its own would be judging itself. */
  private static DescribedPredicate<JavaClass> policies() {
    return describe(
        "are policies of io.vdisk",
        type ->
            type.getPackageName().equals("io.vdisk") && type.isAssignableTo(ReferencePolicy.class));
  }

  private static boolean opensPath(JavaAccess<?> access) {
    if (!(access instanceof JavaCodeUnitAccess<?> unit)) {
      return false;
    }
    String owner = unit.getTargetOwner().getName();
    boolean takesPath =
        unit.getTarget().getRawParameterTypes().stream()
            .anyMatch(type -> type.isAssignableTo(Path.class) || type.isAssignableTo(File.class));
    if (unit.getName().equals("<init>")) {
      boolean isJdks = owner.startsWith("java.") && !owner.equals("java.io.File");
      return OPENING_CONSTRUCTORS.contains(owner) || takesPath && isJdks;
    }
    return takesPath && OPENING.contains(owner + "." + unit.getName());
  }
}

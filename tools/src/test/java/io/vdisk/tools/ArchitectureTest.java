package io.vdisk.tools;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the compiler cannot express of the architecture. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.vdisk");

  /** What opens a file, besides the constructors of {@code java.io}. */
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
          "java.nio.file.Files.createFile",
          "java.nio.file.spi.FileSystemProvider.newByteChannel",
          "java.nio.file.spi.FileSystemProvider.newFileChannel",
          "io.vdisk.file.HostFile.of",
          "io.vdisk.file.LocalFile.open");

  private static final List<String> OPENING_CONSTRUCTORS =
      List.of(
          "java.io.FileInputStream",
          "java.io.FileOutputStream",
          "java.io.FileReader",
          "java.io.FileWriter",
          "java.io.RandomAccessFile");

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
            "io.vdisk.tools")) {
      assertTrue(CLASSES.containPackage(name), name);
    }
  }

  @Test
  void formatsReachTheHostThroughHostFilesOnly() {
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
                            && !target.isAssignableTo(Exception.class)))
        .check(CLASSES);
  }

  @Test
  void onlyImagesAndReferencePolicyOpenPaths() {
    noClasses()
        .that(
            not(resideInAnyPackage("io.vdisk.file..", "io.vdisk.testkit.."))
                .and(not(outermost("io.vdisk.Images")))
                .and(not(outermost("io.vdisk.ReferencePolicy")))
                .and(not(outermost("io.vdisk.AnyPolicy")))
                .and(not(outermost("io.vdisk.DirectoryPolicy"))))
        .should()
        .callCodeUnitWhere(describe("it opens a path", ArchitectureTest::opensPath))
        .check(CLASSES);
  }

  @Test
  void metadataDoesNotKnowDevices() {
    noClasses()
        .that(resideInAPackage("io.vdisk.spi.metadata.."))
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("io.vdisk.BlockDevice")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  private static DescribedPredicate<JavaClass> outermost(String name) {
    return describe(
        "belong to " + name,
        type -> type.getName().equals(name) || type.getName().startsWith(name + "$"));
  }

  private static boolean opensPath(JavaCall<?> call) {
    String owner = call.getTargetOwner().getName();
    if (call.getName().equals("<init>")) {
      return OPENING_CONSTRUCTORS.contains(owner);
    }
    boolean takesPath =
        call.getTarget().getRawParameterTypes().stream()
            .anyMatch(type -> type.isAssignableTo(Path.class));
    return takesPath && OPENING.contains(owner + "." + call.getName());
  }
}

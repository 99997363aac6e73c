package io.vdisk.all;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertLinesMatch;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.all.Consumer.Result;
import io.vdisk.all.Consumer.Way;
import io.vdisk.all.Readme.Row;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.spi.CreateSession;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a project sees that depends on {@code io.vdisk:vdisk} and on nothing else. */
class ConsumerTest {
  private static final int SIZE = 5_860 * 512;

  private static final String DENIED =
      "ReferenceDeniedException: .+ names its backing file 'disk.raw':"
          + " references are denied unless a ReferencePolicy allows them";

  private static final Map<Way, Consumer> CONSUMERS = new EnumMap<>(Way.class);

  @TempDir Path folder;

  @BeforeAll
  static void compile(@TempDir Path classes) throws IOException {
    for (Way way : Way.values()) {
      CONSUMERS.put(way, Consumer.compile(way, Files.createDirectory(classes.resolve(way.name()))));
    }
  }

  @ParameterizedTest
  @EnumSource
  void rawDiskIsReadWhereItIsCalledRaw(Way way) throws Exception {
    byte[] bytes = random();
    Files.write(folder.resolve("disk.raw"), bytes);

    Result result = CONSUMERS.get(way).run(folder, "disk.raw", "raw");

    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    assertQuiet(0, line("raw", SIZE, checksum), result);
  }

  @ParameterizedTest
  @EnumSource
  void rawDiskIsNotGuessed(Way way) throws Exception {
    Files.write(folder.resolve("disk.raw"), random());

    Result result = CONSUMERS.get(way).run(folder, "disk.raw");

    String line =
        "UnsupportedImageException: .+ is in no format that is recognised;"
            + " if it is raw, that must be said";
    assertQuiet(1, line, result);
  }

  @ParameterizedTest
  @EnumSource
  void imageIsRecognisedAndRead(Way way) throws Exception {
    byte[] bytes = random();
    Path file = folder.resolve("disk.qcow2");
    try (BlockDevice device = Images.create(file, CreateOptions.of("qcow2", 2L * SIZE))) {
      device.write(ByteBuffer.wrap(bytes), SIZE);
    }

    Result result = CONSUMERS.get(way).run(folder, "disk.qcow2");

    CRC32 checksum = new CRC32();
    checksum.update(new byte[SIZE]);
    checksum.update(bytes);
    assertQuiet(0, line("qcow2", 2 * SIZE, checksum), result);
  }

  @ParameterizedTest
  @EnumSource
  void backingFileIsNotOpened(Way way) throws Exception {
    Files.write(folder.resolve("disk.raw"), random());
    CreateOptions overlay = CreateOptions.of("qcow2", SIZE).withBacking("disk.raw", "raw");
    HostFile file = LocalFile.create(folder.resolve("overlay.qcow2"));
    try (file) {
      CreateSession.create(file, overlay);
    }

    Result result = CONSUMERS.get(way).run(folder, "overlay.qcow2");

    assertQuiet(1, DENIED, result);
  }

  @ParameterizedTest
  @EnumSource
  void formatThatTheProjectBringsIsFoundAndBoundByTheSameRules(Way way) throws Exception {
    Files.write(folder.resolve("disk.raw"), random());
    Files.writeString(folder.resolve("disk.link"), "LINK:disk.raw");

    Result result = CONSUMERS.get(way).run(folder, "disk.link");

    assertQuiet(1, DENIED, result);
  }

  @ParameterizedTest
  @EnumSource
  void formatsAreThoseOfTheReadmeAndTheProjectsOwn(Way way) throws Exception {
    Set<String> formats = new TreeSet<>(Set.of("link"));
    Readme.read().formats().stream().filter(Row::reads).map(Row::format).forEach(formats::add);

    Result result = CONSUMERS.get(way).run(folder);

    assertQuiet(0, String.join(" ", formats), result);
  }

  @Test
  void dependencyBringsTheseModulesAndNoOther() {
    Set<ModuleDescriptor> modules =
        ModuleFinder.of(Consumer.dependencies().toArray(Path[]::new)).findAll().stream()
            .map(ModuleReference::descriptor)
            .collect(Collectors.toSet());

    assertEquals(
        List.of(
            "com.google.common",
            "com.google.common.util.concurrent.internal",
            "com.google.errorprone.annotations",
            "com.google.j2objc.annotations",
            "io.vdisk",
            "io.vdisk.all",
            "io.vdisk.format.qcow",
            "io.vdisk.format.raw",
            "io.vdisk.format.vhd",
            "io.vdisk.format.vmdk",
            "org.jspecify"),
        modules.stream().map(ModuleDescriptor::name).sorted().toList());
    assertEquals(
        List.of(),
        modules.stream().filter(ModuleDescriptor::isAutomatic).toList(),
        "jlink refuses automatic modules");
  }

  /** One line and no other, nothing logged, no thread. */
  private static void assertQuiet(int exitCode, String line, Result result) {
    assertEquals("", result.err());
    assertLinesMatch(List.of(line, "threads started: 0"), result.out().lines().toList());
    assertEquals(exitCode, result.exitCode());
  }

  private static String line(String format, int size, CRC32 checksum) {
    return String.format("%s, %d bytes, CRC-32 %08x", format, size, checksum.getValue());
  }

  private static byte[] random() {
    byte[] bytes = new byte[SIZE];
    new Random(1).nextBytes(bytes);
    return bytes;
  }
}

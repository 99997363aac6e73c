package io.vdisk.all;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertLinesMatch;

import io.vdisk.all.Consumer.Result;
import io.vdisk.all.Consumer.Way;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a project sees that depends on {@code io.vdisk:vdisk} and on nothing else. */
class ConsumerTest {
  private static final int SIZE = 3_000_000;

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
    long checksum = disk("disk.raw");

    Result result = CONSUMERS.get(way).run(folder, "disk.raw", "raw");

    assertQuiet(0, String.format("raw, %d bytes, CRC-32 %08x", SIZE, checksum), result);
  }

  @ParameterizedTest
  @EnumSource
  void rawDiskIsNotGuessed(Way way) throws Exception {
    disk("disk.raw");

    Result result = CONSUMERS.get(way).run(folder, "disk.raw");

    String line =
        "UnsupportedImageException: .+ is in no format that is recognised;"
            + " if it is raw, that must be said";
    assertQuiet(1, line, result);
  }

  @ParameterizedTest
  @EnumSource
  void referenceIsNotFollowed(Way way) throws Exception {
    disk("disk.raw");
    Files.writeString(folder.resolve("disk.link"), "LINK:disk.raw");

    Result result = CONSUMERS.get(way).run(folder, "disk.link");

    String line =
        "ReferenceDeniedException: .+ names its backing file 'disk.raw':"
            + " references are denied unless a ReferencePolicy allows them";
    assertQuiet(1, line, result);
  }

  @ParameterizedTest
  @EnumSource
  void formatsAreFoundAndTheProjectsOwnToo(Way way) throws Exception {
    Result result = CONSUMERS.get(way).run(folder);

    assertQuiet(0, "link raw", result);
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
            "org.apache.commons.io",
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

  /** Makes a disk, and returns the checksum of its bytes. */
  private long disk(String name) throws IOException {
    byte[] bytes = new byte[SIZE];
    new Random(1).nextBytes(bytes);
    Files.write(folder.resolve(name), bytes);
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    return checksum.getValue();
  }
}

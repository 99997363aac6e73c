package io.vdisk.all;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.all.Readme.Row;
import io.vdisk.spi.ImageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README says what is so. */
class ReadmeTest {
  @Test
  void programIsTheOneThatConsumerTestRuns() throws IOException {
    Path source = Consumer.SOURCES.resolve("com/example/consumer/ReadDisk.java");

    assertEquals(
        Files.readString(source),
        "package com.example.consumer;\n\n" + Readme.read().block("java"));
  }

  @Test
  void dependencyIsThisVersionAndTheOnlyOneOfTheConsumer() throws IOException {
    String dependency = Readme.read().block("xml");

    assertTrue(
        dependency.contains("<version>" + System.getProperty("consumer.version") + "<"),
        dependency);
    assertTrue(
        Files.readString(Consumer.PROJECT.resolve("pom.xml"))
            .contains("<dependencies>\n" + dependency + "  </dependencies>"));
  }

  @Test
  void formatsThatAreReadAreThoseThatAreInstalled() throws IOException {
    List<String> installed = Images.formats().stream().map(ImageFormat::name).sorted().toList();

    assertEquals(
        installed,
        Readme.read().formats().stream().filter(Row::reads).map(Row::format).sorted().toList());
  }

  @Test
  void formatsThatAreCreatedAndWrittenAre(@TempDir Path folder) throws IOException {
    for (Row row : Readme.read().formats()) {
      Path file = folder.resolve(row.format());
      if (row.creates()) {
        Images.create(file, CreateOptions.of(row.format(), 1 << 20)).close();
      }
      if (row.creates() && row.writes()) {
        OpenOptions options = OpenOptions.readWrite().withFormat(row.format());
        try (BlockDevice device = Images.open(file, options)) {
          ByteBuffer text = ByteBuffer.wrap("written".getBytes(StandardCharsets.US_ASCII));
          device.write(text.duplicate(), 4096);
          ByteBuffer read = ByteBuffer.allocate(text.remaining());
          device.read(read, 4096);
          assertEquals(text, read.flip(), row.format());
        }
      }
    }
  }
}

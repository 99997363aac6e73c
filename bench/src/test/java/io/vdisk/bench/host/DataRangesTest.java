package io.vdisk.bench.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataRangesTest {
  /** As qemu-img 7.2 prints it. */
  private static final String MAP =
      """
      [{ "start": 0, "length": 65536, "depth": 0, "present": true, "zero": false, "data": true, "offset": 0},
      { "start": 65536, "length": 1048576, "depth": 0, "present": true, "zero": true, "data": false, "offset": 65536},
      { "start": 1114112, "length": 4096, "depth": 0, "present": true, "zero": false, "data": true, "offset": 1114112}]
      """;

  @TempDir Path folder;

  @Test
  void holesAreNoData() {
    assertEquals(65_536 + 4096, DataRanges.parse(folder.resolve("absent"), MAP).bytes());
  }

  @Test
  void readingEndsWhereAFileEndsEarly() throws IOException {
    Path file = Files.write(folder.resolve("short"), new byte[10_000]);

    DataRanges.parse(file, MAP).read();

    assertEquals(10_000, Files.size(file));
  }
}

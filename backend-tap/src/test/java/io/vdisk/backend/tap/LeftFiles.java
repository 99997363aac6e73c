package io.vdisk.backend.tap;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** An image, and the logs of what its guests wrote, as a process leaves them that is killed. */
public record LeftFiles(Map<Path, byte[]> files) {
  /** As a process would leave them now. */
  public static LeftFiles now(Path image, Path logs) throws IOException {
    Map<Path, byte[]> files = new HashMap<>();
    files.put(image, Files.readAllBytes(image));
    for (Path log : logs(logs)) {
      files.put(log, Files.readAllBytes(log));
    }
    return new LeftFiles(files);
  }

  /** The logs in a folder. */
  public static List<Path> logs(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> file.getFileName().toString().startsWith("writes-")).toList();
    }
  }

  /** Whatever was done since then is undone: the process was killed. */
  public void restore() throws IOException {
    for (Map.Entry<Path, byte[]> file : files.entrySet()) {
      Files.write(file.getKey(), file.getValue());
    }
  }
}

package io.vdisk.bench.input;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The files of the JVM that runs this and of /usr, in an order by the hash of their names. */
final class RealFiles {
  private static final List<String> FOLDERS =
      List.of("/usr/bin", "/usr/include", "/usr/lib", "/usr/share");

  private RealFiles() {}

  /** By hash, so that any first part of them is a mix of all kinds. */
  static List<Path> inOrder() throws IOException {
    Map<String, Path> byHash = new TreeMap<>();
    for (Path file : all()) {
      byHash.put(hash(file.toString()), file);
    }
    return List.copyOf(byHash.values());
  }

  private static List<Path> all() throws IOException {
    List<Path> files = new ArrayList<>();
    List<Path> folders = new ArrayList<>();
    folders.add(Path.of(System.getProperty("java.home")).toRealPath());
    FOLDERS.forEach(folder -> folders.add(Path.of(folder)));
    for (Path folder : folders) {
      if (Files.isDirectory(folder)) {
        Files.walkFileTree(folder, new Collector(files));
      }
    }
    return files;
  }

  /** Follows no links, and passes over what it may not read. */
  private static final class Collector extends SimpleFileVisitor<Path> {
    private final List<Path> files;

    Collector(List<Path> files) {
      this.files = files;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      if (attributes.isRegularFile() && attributes.size() > 0) {
        files.add(file);
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException trouble) {
      return FileVisitResult.CONTINUE;
    }
  }

  private static String hash(String name) {
    try {
      byte[] bytes =
          MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JVM has it
    }
  }
}

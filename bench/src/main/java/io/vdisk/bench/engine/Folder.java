package io.vdisk.bench.engine;

import io.vdisk.bench.input.Converted;
import io.vdisk.bench.input.Input;
import io.vdisk.bench.input.RandomDisk;
import java.nio.file.Path;

/**
 * Where the images of the benchmarks are. Processes that JMH starts find it in system properties.
 *
 * @param mebibytes how large their disks are
 */
record Folder(Path path, long mebibytes) {
  private static final String PATH = "vdisk.bench.folder";
  private static final String MEBIBYTES = "vdisk.bench.mebibytes";

  static Folder ofProperties() {
    String path = System.getProperty(PATH);
    if (path == null) {
      throw new IllegalStateException("the system property " + PATH + " is not set");
    }
    return new Folder(Path.of(path), Long.getLong(MEBIBYTES, 4096));
  }

  /** As options for a JVM. */
  String[] properties() {
    return new String[] {"-D" + PATH + "=" + path, "-D" + MEBIBYTES + "=" + mebibytes};
  }

  long bytes() {
    return mebibytes << 20;
  }

  /** An image of which every cluster is there. */
  Input full(String format) {
    Input raw = new RandomDisk(mebibytes);
    return format.equals("raw") ? raw : new Converted(raw, format, "");
  }

  Path fullPath(String format) {
    return path.resolve(full(format).fileName());
  }

  /** For an image that a benchmark makes. */
  Path fresh() {
    return path.resolve("fresh");
  }
}

package io.vdisk.bench.engine;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;

/** Images as the benchmarks want them, of 8 MiB, made by the library itself. */
final class SmallImages {
  private static final long MEBIBYTES = 8;

  private SmallImages() {}

  static Folder in(Path path) throws IOException {
    Folder folder = new Folder(path, MEBIBYTES);
    byte[] content = new byte[(int) folder.bytes()];
    new Random(1).nextBytes(content);
    for (String format : new String[] {"raw", "qcow", "qcow2"}) {
      CreateOptions options = CreateOptions.of(format, folder.bytes());
      try (BlockDevice device = Images.create(folder.fullPath(format), options)) {
        device.write(ByteBuffer.wrap(content), 0);
      }
    }
    return folder;
  }
}

package com.example.plain;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32;

/**
 * An application that knows nothing of {@code host-linux}: it writes a sparse file and reads it.
 */
public final class Plain {
  /** Bytes of the file; in its middle are a zero and the two bytes 2 and 3, all others are zero. */
  public static final int SIZE = 4 << 20;

  private Plain() {}

  /** Prints the size, a checksum, whether the hole is seen, and what a second user is told. */
  public static void main(String[] args) throws IOException {
    Path path = Path.of(args[0]);
    try (HostFile file = LocalFile.create(path)) {
      file.resize(SIZE);
      file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), SIZE / 2);
      file.zero(SIZE / 2, 1, false);
      file.write(ByteBuffer.wrap(new byte[] {0}), SIZE / 2);
      file.flush();
      ByteBuffer bytes = ByteBuffer.allocate(SIZE);
      file.readFully(bytes, 0);
      CRC32 checksum = new CRC32();
      checksum.update(bytes.flip());
      System.out.println(file.size() + " bytes, CRC-32 " + Long.toHexString(checksum.getValue()));
      System.out.println(file.dataEnd(0, SIZE) < 0 ? "hole" : "data");
      LocalFile.open(path, false).close();
    } catch (IOException e) {
      System.out.println(e.getClass().getSimpleName());
    }
  }
}

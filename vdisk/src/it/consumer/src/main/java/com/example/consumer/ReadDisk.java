package com.example.consumer;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32;

/** Prints the format of an image, the size of its disk, and a checksum of all the disk's bytes. */
public final class ReadDisk {
  public static void main(String[] args) throws IOException {
    OpenOptions options = OpenOptions.readOnly();
    if (args.length > 1) {
      options = options.withFormat(args[1]);
    }
    try (BlockDevice disk = Images.open(Path.of(args[0]), options)) {
      CRC32 checksum = new CRC32();
      ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
      for (long offset = 0; offset < disk.size(); offset += buffer.limit()) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), disk.size() - offset));
        disk.read(buffer, offset);
        checksum.update(buffer.flip());
      }
      System.out.printf(
          "%s, %d bytes, CRC-32 %08x%n", disk.info().format(), disk.size(), checksum.getValue());
    }
  }
}

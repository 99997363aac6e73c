package io.vdisk.format.vhdx;

import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The file type identifier at offset 0: who made the file, and that it is VHDX. Little-endian, 520
 * bytes of the 64 KiB that are its own. Source: [MS-VHDX] 2.2.1.
 *
 * @param creator for diagnosis only
 */
record FileIdentifier(String creator) {
  static final Struct STRUCT = Struct.littleEndian("VHDX file type identifier");
  static final Struct.U64 SIGNATURE = STRUCT.u64("Signature");
  static final Struct.Bytes CREATOR = STRUCT.bytes("Creator", 512);

  static {
    STRUCT.end(520);
  }

  /** "vhdxfile". */
  static final long VALUE =
      ByteBuffer.wrap("vhdxfile".getBytes(StandardCharsets.US_ASCII))
          .order(ByteOrder.LITTLE_ENDIAN)
          .getLong();

  /** Whether {@code file} begins as an image does. */
  static boolean isThere(HostFile file) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(8);
    file.readPadded(start, 0);
    return SIGNATURE.get(start, 0) == VALUE;
  }

  /** Writes it: from then on the file is an image. */
  void write(HostFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    SIGNATURE.put(bytes, 0, VALUE);
    CREATOR.put(bytes, 0, creator.getBytes(StandardCharsets.UTF_16LE));
    file.write(bytes, 0);
  }
}

package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/** What a guest must know of its disk (struct tapdisk_message_image). */
record Image(DiskInfo info) implements MessageBody {
  static final Struct STRUCT = Struct.littleEndian("tapdisk_message_image");
  private static final Struct.U64 SECTORS;
  private static final Struct.U32 SECTOR_SIZE;
  private static final Struct.U32 INFO;

  static {
    STRUCT.bytes("header", 8);
    SECTORS = STRUCT.u64("sectors");
    SECTOR_SIZE = STRUCT.u32("sector_size");
    INFO = STRUCT.u32("info");
    STRUCT.end(24);
  }

  static Image read(ByteBuffer message) throws DiskException {
    DiskInfo info =
        new DiskInfo(
            SECTORS.get(message, 0), (int) SECTOR_SIZE.get(message, 0), (int) INFO.get(message, 0));
    if (info.sectors() < 0 || info.sectorSize() < 0) {
      throw new DiskException(Errno.EPROTO, "a disk cannot be so large: " + info);
    }
    return new Image(info);
  }

  void write(ByteBuffer message) {
    SECTORS.put(message, 0, info.sectors());
    SECTOR_SIZE.put(message, 0, info.sectorSize());
    INFO.put(message, 0, Integer.toUnsignedLong(info.info()));
  }
}

package io.vdisk.format.vhd;

import java.nio.ByteBuffer;
import java.util.UUID;

/** The ids of the format, which are the bytes of a UUID in the order in which it is written. */
final class UniqueId {
  /** The parent's id where the parent is no VHD. */
  static final UUID NONE = new UUID(0, 0);

  private UniqueId() {}

  static UUID of(byte[] bytes) {
    ByteBuffer words = ByteBuffer.wrap(bytes);
    return new UUID(words.getLong(), words.getLong());
  }

  static byte[] bytes(UUID id) {
    return ByteBuffer.allocate(16)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .array();
  }
}

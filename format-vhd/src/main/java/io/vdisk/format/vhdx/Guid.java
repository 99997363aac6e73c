package io.vdisk.format.vhdx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * A GUID. On disk its first three fields are little-endian numbers, the last eight bytes are not.
 *
 * @param value as it is written in text
 */
record Guid(UUID value) {
  static final int BYTES = 16;

  /** Nobody's: where it stands in a header, there is no log. */
  static final Guid NIL = new Guid(new UUID(0, 0));

  /** One that nobody else has. */
  static Guid random() {
    return new Guid(UUID.randomUUID());
  }

  /** A known one: {@code 2DC27766-F623-4200-9D64-115E9BFD4A08}. */
  static Guid of(String text) {
    return new Guid(UUID.fromString(text));
  }

  /** What a locator has between braces; empty if that is no GUID. */
  static Optional<Guid> parse(String text) {
    String inside =
        text.startsWith("{") && text.endsWith("}") ? text.substring(1, text.length() - 1) : text;
    try {
      return inside.length() == 36 ? Optional.of(of(inside)) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The GUID in these 16 bytes. */
  static Guid of(byte[] bytes) {
    ByteBuffer little = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long high =
        (little.getInt(0) & 0xffff_ffffL) << 32
            | (little.getShort(4) & 0xffffL) << 16
            | (little.getShort(6) & 0xffffL);
    return new Guid(new UUID(high, ByteBuffer.wrap(bytes).getLong(8)));
  }

  /** Its 16 bytes. */
  byte[] bytes() {
    long high = value.getMostSignificantBits();
    ByteBuffer little = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    little.putInt(0, (int) (high >>> 32));
    little.putShort(4, (short) (high >>> 16));
    little.putShort(6, (short) high);
    little.order(ByteOrder.BIG_ENDIAN).putLong(8, value.getLeastSignificantBits());
    return little.array();
  }

  boolean isNil() {
    return equals(NIL);
  }

  /** As a locator has it: in lower case, between braces. */
  String inBraces() {
    return "{" + value.toString().toLowerCase(Locale.ROOT) + "}";
  }

  @Override
  public String toString() {
    return value.toString();
  }
}

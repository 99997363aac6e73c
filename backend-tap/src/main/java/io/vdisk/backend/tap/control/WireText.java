package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A text in a message: UTF-8, ended by a zero byte within its field. */
final class WireText {
  private WireText() {}

  /**
   * Reads a field of a message.
   *
   * @throws DiskException with EINVAL if no zero byte ends it, or it is not UTF-8
   */
  static String get(Struct.Bytes field, ByteBuffer message) throws DiskException {
    return of(field.get(message, 0), field.name());
  }

  static String of(byte[] raw, String name) throws DiskException {
    int end = 0;
    while (end < raw.length && raw[end] != 0) {
      end++;
    }
    if (end == raw.length) {
      throw new DiskException(
          Errno.EINVAL, "no zero byte ends the " + name + " within " + end + " bytes");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(raw, 0, end)).toString();
    } catch (CharacterCodingException e) {
      throw new DiskException(Errno.EINVAL, "the " + name + " is not UTF-8", e);
    }
  }

  /**
   * Writes a name.
   *
   * @throws DiskException with ENAMETOOLONG if it does not fit with its zero byte, and with EINVAL
   *     if it has a zero byte itself
   */
  static void put(Struct.Bytes field, ByteBuffer message, String text) throws DiskException {
    field.put(message, 0, bytes(text, field.length(), field.name()));
  }

  static byte[] bytes(String text, int fieldLength, String name) throws DiskException {
    byte[] raw = text.getBytes(StandardCharsets.UTF_8);
    if (text.indexOf('\0') >= 0) {
      throw new DiskException(Errno.EINVAL, "a zero byte in the " + name);
    }
    if (raw.length >= fieldLength) {
      throw new DiskException(
          Errno.ENAMETOOLONG,
          "the " + name + " has " + raw.length + " bytes, and " + (fieldLength - 1) + " fit");
    }
    return Arrays.copyOf(raw, fieldLength);
  }

  /** Writes as much of a sentence as fits. */
  static void putSentence(Struct.Bytes field, ByteBuffer message, String text) {
    byte[] raw = text.replace('\0', ' ').getBytes(StandardCharsets.UTF_8);
    int end = Math.min(raw.length, field.length() - 1);
    while (end < raw.length && end > 0 && (raw[end] & 0xc0) == 0x80) {
      end--; // not within a character
    }
    field.put(message, 0, Arrays.copyOf(raw, end));
  }
}

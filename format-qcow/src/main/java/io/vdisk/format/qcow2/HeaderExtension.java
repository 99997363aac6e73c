package io.vdisk.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A section after the header: type (4 bytes), length (4 bytes), data, padded to 8 bytes.
 * Specification: "Header extensions". Immutable.
 */
final class HeaderExtension {
  static final int END = 0;
  static final int BACKING_FORMAT = 0xe279_2aca;
  static final int FEATURE_NAMES = 0x6803_f857;
  static final int BITMAPS = 0x2385_2875;

  /** Offset and length of the LUKS header. "Full disk encryption header pointer". */
  static final int ENCRYPTION = 0x0537_be77;

  /** Name of the external data file. */
  static final int DATA_FILE = 0x4441_5441;

  /** Bytes of type and length. */
  static final int PREFIX = 8;

  /** Bytes of an entry of the feature name table: kind, bit, 46 bytes of name. */
  private static final int FEATURE_ENTRY = 48;

  private final int type;
  private final byte[] data;

  /** A section of this type with these bytes. */
  HeaderExtension(int type, byte[] data) {
    this.type = type;
    this.data = data.clone();
  }

  int type() {
    return type;
  }

  /** A copy of the data. */
  ByteBuffer data() {
    return ByteBuffer.wrap(data.clone());
  }

  /** Bytes in the file. */
  int size() {
    return PREFIX + (data.length + 7) / 8 * 8;
  }

  void encode(ByteBuffer target) {
    int end = target.position() + size();
    target.putInt(type).putInt(data.length).put(data);
    while (target.position() < end) {
      target.put((byte) 0);
    }
  }

  /** The data of a string extension. */
  String text() {
    return new String(data, StandardCharsets.UTF_8);
  }

  static HeaderExtension text(int type, String text) {
    return new HeaderExtension(type, text.getBytes(StandardCharsets.UTF_8));
  }

  /** The name that a feature name table has for a feature, or "bit n". */
  String featureName(int kind, int bit) {
    for (int at = 0; at + FEATURE_ENTRY <= data.length; at += FEATURE_ENTRY) {
      if (data[at] == kind && data[at + 1] == bit) {
        String name = new String(data, at + 2, FEATURE_ENTRY - 2, StandardCharsets.UTF_8);
        int end = name.indexOf('\0');
        return end < 0 ? name : name.substring(0, end);
      }
    }
    return "bit " + bit;
  }

  /** The names of the features that exist, for programs that do not know them. */
  static HeaderExtension featureNames() {
    Feature[] features = Feature.values();
    ByteBuffer table = ByteBuffer.allocate(features.length * FEATURE_ENTRY);
    for (int i = 0; i < features.length; i++) {
      Feature feature = features[i];
      table.position(i * FEATURE_ENTRY).put((byte) feature.kind).put((byte) feature.bit);
      table.put(feature.title.getBytes(StandardCharsets.US_ASCII));
    }
    return new HeaderExtension(FEATURE_NAMES, table.array());
  }

  /** Bits of the header's three feature fields. */
  enum Feature {
    DIRTY(0, 0, "dirty bit"),
    CORRUPT(0, 1, "corrupt bit"),
    DATA_FILE(0, 2, "external data file"),
    COMPRESSION_TYPE(0, 3, "compression type"),
    EXTENDED_L2(0, 4, "extended L2 entries"),
    LAZY_REFCOUNTS(1, 0, "lazy refcounts"),
    BITMAPS(2, 0, "bitmaps"),
    RAW_DATA_FILE(2, 1, "raw external data");

    static final int INCOMPATIBLE = 0;

    final int kind;
    final int bit;
    final String title;

    Feature(int kind, int bit, String title) {
      this.kind = kind;
      this.bit = bit;
      this.title = title;
    }

    long mask() {
      return 1L << bit;
    }

    boolean isIn(long field) {
      return (field & mask()) != 0;
    }
  }
}

package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The parent locator: which file a differencing one lies over, as keys and values in UTF-16LE; a
 * header of 20 bytes, entries of 12, then the strings. Little-endian. Source: [MS-VHDX] 2.6.2.6.
 *
 * @param values by key, in the locator's order
 */
record ParentLocator(Map<String, String> values) {
  static final Struct HEADER = Struct.littleEndian("VHDX parent locator header");
  static final Struct.Bytes LOCATOR_TYPE = HEADER.bytes("LocatorType", Guid.BYTES);
  private static final Struct.U16 RESERVED = HEADER.u16("Reserved");
  static final Struct.U16 KEY_VALUE_COUNT = HEADER.u16("KeyValueCount");

  static {
    HEADER.end(20);
  }

  static final Struct ENTRY = Struct.littleEndian("VHDX parent locator entry");
  static final Struct.U32 KEY_OFFSET = ENTRY.u32("KeyOffset");
  static final Struct.U32 VALUE_OFFSET = ENTRY.u32("ValueOffset");
  static final Struct.U16 KEY_LENGTH = ENTRY.u16("KeyLength");
  static final Struct.U16 VALUE_LENGTH = ENTRY.u16("ValueLength");

  static {
    ENTRY.end(12);
  }

  /** The parent is a VHDX file. */
  static final Guid VHDX = Guid.of("B04AEFB7-D19E-4A81-B789-25B8E9445913");

  static final String LINKAGE = "parent_linkage";
  static final String LINKAGE_2 = "parent_linkage2";
  static final String RELATIVE_PATH = "relative_path";
  static final String VOLUME_PATH = "volume_path";
  static final String ABSOLUTE_PATH = "absolute_win32_path";

  /** In the order in which the specification has them tried. */
  private static final List<String> PATHS = List.of(RELATIVE_PATH, VOLUME_PATH, ABSOLUTE_PATH);

  /** Most keys that are believed; the specification knows five. */
  private static final int MAX_KEYS = 64;

  /** What stands before an absolute path of Windows. */
  private static final String EXTENDED_LENGTH = "\\\\?\\";

  /** Most bytes of the names that we write: a path of Windows' most characters. */
  private static final int MAX_NAME = 32_767 * 2;

  /**
   * A locator for a name as the user gives it.
   *
   * @param name with slashes; from the child's folder unless it is absolute
   * @param linkage the parent's {@code DataWriteGuid}
   */
  static ParentLocator of(String name, Guid linkage) {
    Map<String, String> values = new LinkedHashMap<>();
    values.put(LINKAGE, linkage.inBraces());
    if (name.isEmpty() || name.length() * 2 > MAX_NAME || name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("'" + name + "' is no name of a parent");
    }
    if (name.indexOf('\\') >= 0) {
      throw new IllegalArgumentException(
          "'" + name + "': a locator separates folders by the backslash, so no name can have one");
    }
    String windows = name.replace('/', '\\');
    if (windows.startsWith("\\") || hasDrive(windows)) {
      values.put(ABSOLUTE_PATH, hasDrive(windows) ? EXTENDED_LENGTH + windows : windows);
    } else {
      values.put(RELATIVE_PATH, windows);
    }
    return new ParentLocator(values);
  }

  private static boolean hasDrive(String path) {
    return path.length() > 2 && Character.isLetter(path.charAt(0)) && path.startsWith(":\\", 1);
  }

  /**
   * Reads a locator.
   *
   * @throws UnsupportedImageException if the parent is something else than a VHDX file
   */
  static ParentLocator decode(ByteBuffer bytes, String file) throws IOException {
    Guid type = Guid.of(LOCATOR_TYPE.get(bytes, 0));
    if (!type.equals(VHDX)) {
      throw new UnsupportedImageException(file + ": a parent of type " + type + " is unknown");
    }
    int count = KEY_VALUE_COUNT.get(bytes, 0);
    if (count > MAX_KEYS || HEADER.size() + count * ENTRY.size() > bytes.limit()) {
      throw new CorruptImageException(file + ": a parent locator of " + count + " keys");
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      int base = HEADER.size() + i * ENTRY.size();
      String key = string(bytes, KEY_OFFSET.get(bytes, base), KEY_LENGTH.get(bytes, base), file);
      String value =
          string(bytes, VALUE_OFFSET.get(bytes, base), VALUE_LENGTH.get(bytes, base), file);
      if (values.put(key, value) != null) {
        throw new CorruptImageException(file + ": the parent locator has '" + key + "' twice");
      }
    }
    ParentLocator locator = new ParentLocator(values);
    if (locator.paths().isEmpty() || Guid.parse(locator.value(LINKAGE)).isEmpty()) {
      throw new CorruptImageException(
          file + ": the parent locator has no path or no valid parent_linkage");
    }
    return locator;
  }

  private static String string(ByteBuffer bytes, long offset, int length, String file)
      throws CorruptImageException {
    if (offset == 0 || length == 0 || length % 2 != 0 || offset + length > bytes.limit()) {
      throw new CorruptImageException(
          file + ": a parent locator with " + length + " bytes at " + offset);
    }
    byte[] text = new byte[length];
    bytes.get((int) offset, text);
    return new String(text, StandardCharsets.UTF_16LE);
  }

  /** The locator's bytes. */
  byte[] encode() {
    int table = HEADER.size() + values.size() * ENTRY.size();
    int size = table;
    for (Map.Entry<String, String> entry : values.entrySet()) {
      size += 2 * (entry.getKey().length() + entry.getValue().length());
    }
    ByteBuffer bytes = ByteBuffer.allocate(size);
    LOCATOR_TYPE.put(bytes, 0, VHDX.bytes());
    RESERVED.put(bytes, 0, 0);
    KEY_VALUE_COUNT.put(bytes, 0, values.size());
    int base = HEADER.size();
    bytes.position(table);
    for (Map.Entry<String, String> entry : values.entrySet()) {
      byte[] key = entry.getKey().getBytes(StandardCharsets.UTF_16LE);
      byte[] value = entry.getValue().getBytes(StandardCharsets.UTF_16LE);
      KEY_OFFSET.put(bytes, base, bytes.position());
      KEY_LENGTH.put(bytes, base, key.length);
      bytes.put(key);
      VALUE_OFFSET.put(bytes, base, bytes.position());
      VALUE_LENGTH.put(bytes, base, value.length);
      bytes.put(value);
      base += ENTRY.size();
    }
    return bytes.array();
  }

  private String value(String key) {
    return values.getOrDefault(key, "");
  }

  /** The paths that it has, in the specification's order, as they stand. */
  private List<String> paths() {
    return PATHS.stream().map(this::value).filter(path -> !path.isEmpty()).toList();
  }

  /**
   * The parent's names for a {@code ReferencePolicy}, to be tried in this order: with slashes,
   * without {@code .\} before.
   */
  List<String> names() {
    return paths().stream().map(ParentLocator::name).toList();
  }

  private static String name(String path) {
    String plain =
        path.startsWith(EXTENDED_LENGTH) ? path.substring(EXTENDED_LENGTH.length()) : path;
    String name = plain.replace('\\', '/');
    return name.startsWith("./") && name.length() > 2 ? name.substring(2) : name;
  }

  /** The first of its names. */
  String name() {
    return names().get(0);
  }

  /** The parent's {@code DataWriteGuid}, as far as this knows. */
  Guid linkage() {
    return Guid.parse(value(LINKAGE)).orElse(Guid.NIL);
  }

  /** Whether a parent with this {@code DataWriteGuid} is the one that is meant. */
  boolean accepts(Guid dataWriteGuid) {
    return linkage().equals(dataWriteGuid)
        || Guid.parse(value(LINKAGE_2)).filter(dataWriteGuid::equals).isPresent();
  }

  /** The same file with another content. */
  ParentLocator withLinkage(Guid linkage) {
    Map<String, String> changed = new LinkedHashMap<>(values);
    changed.put(LINKAGE, linkage.inBraces());
    changed.remove(LINKAGE_2);
    return new ParentLocator(changed);
  }
}

package io.vdisk.format.vhd;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * One of the eight parent locator entries of a differencing disk's header: 24 bytes, big-endian.
 * Source: Virtual Hard Disk Image Format Specification 1.0, "Parent Locator Entries".
 *
 * @param code the platform, four letters; 0: the entry is not used
 * @param dataSpace room for the name: sectors by the specification, bytes by most writers
 * @param dataLength bytes of the name
 * @param dataOffset where the name lies
 */
record ParentLocator(long code, long dataSpace, long dataLength, long dataOffset) {
  static final Struct STRUCT = Struct.bigEndian("parent locator");
  private static final Struct.U32 CODE = STRUCT.u32("Platform Code");
  private static final Struct.U32 DATA_SPACE = STRUCT.u32("Platform Data Space");
  private static final Struct.U32 DATA_LENGTH = STRUCT.u32("Platform Data Length");
  private static final Struct.U32 RESERVED = STRUCT.u32("Reserved");
  private static final Struct.U64 DATA_OFFSET = STRUCT.u64("Platform Data Offset");

  static {
    STRUCT.end(24);
  }

  /** Windows, a relative name in UTF-16, little-endian. */
  static final long W2RU = code("W2ru");

  /** Windows, an absolute name in UTF-16, little-endian; Xen writes a relative one. */
  static final long W2KU = code("W2ku");

  /** Mac OS X, a file URL in UTF-8. */
  static final long MACX = code("MacX");

  /** Windows, relative and absolute names in the code page of the writer; deprecated. */
  static final long WI2R = code("Wi2r");

  static final long WI2K = code("Wi2k");

  /** Mac OS, an alias, which only that can resolve. */
  static final long MAC = code("Mac ");

  static final ParentLocator UNUSED = new ParentLocator(0, 0, 0, 0);

  /** Bytes of a name: ours; Windows knows paths of 32,767 letters. */
  static final int MAX_LENGTH = 64 << 10;

  private static final String URL = "file://";
  private static final int SECTOR = 512;

  private static long code(String letters) {
    return ByteBuffer.wrap(letters.getBytes(StandardCharsets.US_ASCII)).getInt() & 0xffff_ffffL;
  }

  static ParentLocator decode(ByteBuffer bytes, int base) {
    return new ParentLocator(
        CODE.get(bytes, base),
        DATA_SPACE.get(bytes, base),
        DATA_LENGTH.get(bytes, base),
        DATA_OFFSET.get(bytes, base));
  }

  void encode(ByteBuffer bytes, int base) {
    CODE.put(bytes, base, code);
    DATA_SPACE.put(bytes, base, dataSpace);
    DATA_LENGTH.put(bytes, base, dataLength);
    RESERVED.put(bytes, base, 0);
    DATA_OFFSET.put(bytes, base, dataOffset);
  }

  boolean isUsed() {
    return code != 0;
  }

  /** Whether the code is of the specification. */
  boolean isKnown() {
    return isText() || code == MAC;
  }

  /** Whether it is a name that can be read. */
  boolean isText() {
    return code == W2RU || code == W2KU || code == MACX || code == WI2R || code == WI2K;
  }

  /** Bytes of the file that are set aside for the name. */
  long spaceBytes() {
    return dataSpace < SECTOR ? dataSpace * SECTOR : dataSpace;
  }

  /** The four letters, for messages. */
  String letters() {
    StringBuilder letters = new StringBuilder();
    for (int shift = 24; shift >= 0; shift -= 8) {
      int letter = (int) (code >>> shift) & 0xff;
      letters.append(letter >= ' ' && letter < 127 ? (char) letter : '?');
    }
    return letters.toString();
  }

  /** The bytes of a name as this platform has them. */
  static byte[] encodeName(long code, String name) {
    if (code == MACX) {
      return (URL + (name.startsWith("/") || isRelative(name) ? name : "./" + name))
          .getBytes(StandardCharsets.UTF_8);
    }
    String windows = isRelative(name) || name.startsWith("/") ? name : "./" + name;
    return windows.replace('/', '\\').getBytes(StandardCharsets.UTF_16LE);
  }

  private static boolean isRelative(String name) {
    return name.startsWith("./") || name.startsWith("../");
  }

  /**
   * The name, with slashes and without what stands for this folder; empty if it is none that can be
   * read.
   */
  Optional<String> readName(HostFile file) throws IOException {
    if (!isText()) {
      return Optional.empty();
    }
    if (dataLength > MAX_LENGTH
        || dataOffset < 0
        || dataOffset > file.size() - Math.min(dataLength, file.size())) {
      throw new CorruptImageException(
          String.format(
              "%s: the name of parent locator %s, %d bytes at %d, is not in the file",
              file.name(), letters(), dataLength, dataOffset));
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) dataLength);
    file.readFully(bytes, dataOffset);
    String text = charset().decode(bytes.flip()).toString();
    int end = text.indexOf('\0');
    String name = end < 0 ? text : text.substring(0, end);
    if (code == MACX) {
      return Optional.of(plain(fromUrl(name))).filter(found -> !found.isEmpty());
    }
    return Optional.of(plain(name.replace('\\', '/'))).filter(found -> !found.isEmpty());
  }

  private Charset charset() {
    if (code == MACX) {
      return StandardCharsets.UTF_8;
    }
    return code == W2RU || code == W2KU ? StandardCharsets.UTF_16LE : StandardCharsets.ISO_8859_1;
  }

  /** Without the scheme and, where there is one, the name of this host. */
  private static String fromUrl(String url) {
    if (!url.startsWith(URL)) {
      return url;
    }
    String path = url.substring(URL.length());
    return path.startsWith("localhost/") ? path.substring("localhost".length()) : path;
  }

  private static String plain(String name) {
    String rest = name;
    while (rest.startsWith("./")) {
      rest = rest.substring(2);
    }
    return rest;
  }
}

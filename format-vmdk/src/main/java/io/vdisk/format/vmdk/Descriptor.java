package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the text says of which a virtual disk consists. Source: Virtual Disk Format 5.0, "The
 * Descriptor". Names are read in the encoding that the text says. Immutable.
 */
final class Descriptor {
  /** What QEMU reads at most; thousands of extents. */
  static final int MAX_BYTES = 1 << 20;

  /** More files than anybody opens for a disk: 8 TiB in pieces of 2 GB. */
  static final int MAX_EXTENTS = 4096;

  /** What VMware's begin with. */
  static final String FIRST_LINE = "# Disk DescriptorFile";

  /** The {@code parentCID} of a disk without a parent. */
  static final long NO_PARENT = 0xffff_ffffL;

  /** What a child says of a parent that nobody looked at; VMware's disks begin with it. */
  static final long UNKNOWN_CID = 0xffff_fffeL;

  static final String CID = "CID";
  static final String PARENT_CID = "parentCID";
  static final String CREATE_TYPE = "createType";
  static final String PARENT_HINT = "parentFileNameHint";
  private static final String VERSION = "version";
  private static final String ENCODING = "encoding";
  private static final int MAX_VERSION = 3;

  private final DescriptorText text;
  private final Charset charset;
  private final String where;

  private Descriptor(DescriptorText text, String where) {
    this.text = text;
    this.where = where;
    this.charset = charset(find(ENCODING).orElse("UTF-8"));
  }

  private static Charset charset(String name) {
    try {
      return Charset.forName(name);
    } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
      return StandardCharsets.UTF_8;
    }
  }

  /**
   * Reads a text up to its first zero byte.
   *
   * @param where what names the file in messages
   */
  static Descriptor parse(byte[] bytes, String where) throws IOException {
    Descriptor descriptor = new Descriptor(DescriptorText.parse(bytes), where);
    descriptor.checkVersion();
    return descriptor;
  }

  /** A new text of these lines, in UTF-8; it says so where that makes a difference. */
  static Descriptor encoded(List<String> newLines, String where) {
    List<String> raw = new ArrayList<>();
    for (String line : newLines) {
      byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
      raw.add(new String(bytes, StandardCharsets.ISO_8859_1) + "\n");
    }
    return new Descriptor(new DescriptorText(raw), where).with(ENCODING, "\"UTF-8\"", VERSION);
  }

  /** Whether bytes look like a descriptor: after comments comes its version. */
  static boolean isOne(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    for (String line : text.split("\n", 64)) {
      String stripped = line.strip();
      if (stripped.regionMatches(true, 0, FIRST_LINE, 0, FIRST_LINE.length())) {
        return true;
      }
      if (!stripped.isEmpty() && !stripped.startsWith("#")) {
        return stripped.matches("version\\s*=\\s*[1-3]");
      }
    }
    return false;
  }

  private void checkVersion() throws IOException {
    String version =
        find(VERSION)
            .orElseThrow(() -> new CorruptImageException(where + ": descriptor without a version"));
    if (!version.matches("[1-" + MAX_VERSION + "]")) {
      throw new UnsupportedImageException(
          where + ": version " + ExtentLine.shortened(version) + " of the descriptor is not known");
    }
  }

  /** The value of an entry without its quotes; the first of that key, whatever its case. */
  Optional<String> find(String key) {
    return text.find(key);
  }

  /** Changes whenever what the guest sees has changed; 0 to 2^32 - 1. */
  long cid() throws CorruptImageException {
    return hex(CID).orElseThrow(() -> new CorruptImageException(where + ": CID is missing"));
  }

  /** The {@code CID} that the parent has; {@link #NO_PARENT} if there is none. */
  long parentCid() throws CorruptImageException {
    return hex(PARENT_CID).orElse(NO_PARENT);
  }

  private Optional<Long> hex(String key) throws CorruptImageException {
    Optional<String> value = find(key);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    if (!value.get().matches("[0-9A-Fa-f]{1,8}")) {
      throw new CorruptImageException(
          where
              + ": "
              + key
              + " is '"
              + ExtentLine.shortened(value.get())
              + "', no number of 32 bits");
    }
    return Optional.of(Long.parseLong(value.get(), 16));
  }

  boolean hasParent() throws CorruptImageException {
    return parentCid() != NO_PARENT;
  }

  /** The parent's file as it is spelled. */
  Optional<String> parentHint() {
    return find(PARENT_HINT).map(this::decoded);
  }

  Optional<String> createType() {
    return find(CREATE_TYPE);
  }

  private String decoded(String raw) {
    return new String(raw.getBytes(StandardCharsets.ISO_8859_1), charset);
  }

  private String encoded(String name) {
    return new String(name.getBytes(charset), StandardCharsets.ISO_8859_1);
  }

  /** The extents in the order of the disk. */
  List<ExtentLine> extents() throws IOException {
    List<ExtentLine> extents = new ArrayList<>();
    for (String line : text.lines()) {
      if (ExtentLine.isOne(line)) {
        ExtentLine extent = ExtentLine.parse(line, where);
        extents.add(
            new ExtentLine(
                extent.access(),
                extent.sectors(),
                extent.type(),
                decoded(extent.name()),
                extent.offsetSectors()));
        if (extents.size() > MAX_EXTENTS) {
          throw new UnsupportedImageException(
              where + ": more than " + MAX_EXTENTS + " extents are not opened");
        }
      }
    }
    return extents;
  }

  /** The same with another size of the last extent. */
  Descriptor withLastExtent(long sectors) throws IOException {
    List<String> lines = text.lines();
    for (int i = lines.size() - 1; i >= 0; i--) {
      if (ExtentLine.isOne(lines.get(i))) {
        String resized = ExtentLine.resized(lines.get(i), sectors);
        return new Descriptor(text.withLine(i, resized), where);
      }
    }
    throw new CorruptImageException(where + ": descriptor without an extent");
  }

  /** The same with another CID. */
  Descriptor withCid(long cid) {
    return with(CID, hex(cid), VERSION);
  }

  /** Whether a name can be said in the text's encoding, and within quotes. */
  boolean canSpell(String name) {
    return name.chars().noneMatch(c -> c < ' ' || c == '"') && charset.newEncoder().canEncode(name);
  }

  /** The same over this parent. */
  Descriptor withParent(long cid, String name) {
    return with(PARENT_CID, hex(cid), CID)
        .with(PARENT_HINT, "\"" + encoded(name) + "\"", CREATE_TYPE);
  }

  /** The same with the CID that its parent has. */
  Descriptor withParentCid(long cid) {
    return with(PARENT_CID, hex(cid), CID);
  }

  /** The same without a parent. */
  Descriptor withoutParent() {
    return new Descriptor(text.with(PARENT_CID, hex(NO_PARENT), CID).without(PARENT_HINT), where);
  }

  static String hex(long cid) {
    return String.format(Locale.ROOT, "%08x", cid);
  }

  /** Sets an entry; where there is none, a line behind that of the key {@code before}. */
  private Descriptor with(String key, String value, String before) {
    return new Descriptor(text.with(key, value, before), where);
  }

  /** The lines, each with its end; the characters are bytes. */
  List<String> lines() {
    return text.lines();
  }

  /** The text. */
  byte[] bytes() {
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  /** What names the file in messages. */
  String where() {
    return where;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}

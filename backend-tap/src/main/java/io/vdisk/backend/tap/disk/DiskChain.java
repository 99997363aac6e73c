package io.vdisk.backend.tap.disk;

import io.vdisk.Limits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The images that a disk string names, the guest's first; what the last one names as its parent
 * comes below them. Immutable.
 *
 * <pre>
 * type:path                 one image
 * type:path|type:path       of Xen 4.x; a '|' with no driver's name and ':' behind is of the path
 * x-chain:file              a text, one image a line, "type:path" and perhaps "ro" behind blanks
 * </pre>
 */
record DiskChain(List<Link> links) {
  private static final String FILE = "x-chain:";
  private static final Pattern STACKED = Pattern.compile("\\|(?=[a-z][a-z0-9]{0,30}:)");

  /** Of tapdisk-image.c, with the end of the line. */
  private static final Pattern LINE =
      Pattern.compile("([^:]+:[^ \\t]+)(?:[ \\t]+([a-z,]+))?[ \\t]*");

  /** Longest line, tapdisk-image.c. */
  private static final int LINE_BYTES = 511;

  private static final int MOST_LINKS = Limits.DEFAULT_CHAIN_DEPTH;

  /** Longest file: as many lines, and as many blank ones. */
  private static final int FILE_BYTES = 2 * MOST_LINKS * LINE_BYTES;

  /**
   * One image.
   *
   * @param isReadOnly whether it is so, whatever is asked of the disk
   */
  record Link(DiskDescriptor image, boolean isReadOnly) {}

  DiskChain {
    links = List.copyOf(links);
  }

  static DiskChain parse(String name) throws IOException {
    if (name.startsWith(FILE)) {
      return read(new DiskDescriptor(DiskType.FILE, name.substring(FILE.length())).hostPath());
    }
    List<Link> links = new ArrayList<>();
    for (String image : STACKED.split(name, -1)) {
      links.add(new Link(DiskDescriptor.parse(image), false));
    }
    return checked(name, links);
  }

  private static DiskChain read(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(FILE_BYTES + 1);
    }
    if (bytes.length > FILE_BYTES) {
      throw trouble(file, "it has more than " + FILE_BYTES + " bytes");
    }
    List<Link> links = new ArrayList<>();
    String[] lines = text(file, bytes).split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].isBlank()) {
        links.add(link(file, i + 1, lines[i]));
      }
    }
    return checked(file.toString(), links);
  }

  private static String text(Path file, byte[] bytes) throws DiskException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw trouble(file, "it is no text in UTF-8");
    }
  }

  private static Link link(Path file, int number, String line) throws DiskException {
    if (line.length() > LINE_BYTES) {
      throw trouble(file, "line " + number + " has more than " + LINE_BYTES + " characters");
    }
    Matcher matcher = LINE.matcher(line);
    if (!matcher.matches()) {
      throw trouble(file, "line " + number + " is no 'type:path' with 'ro' or nothing behind");
    }
    String flags = matcher.group(2);
    if (flags != null && !flags.equals("ro")) {
      throw trouble(file, "line " + number + " has the flags '" + flags + "'; there is only ro");
    }
    return new Link(DiskDescriptor.parse(matcher.group(1)), flags != null);
  }

  private static DiskChain checked(String name, List<Link> links) throws DiskException {
    if (links.isEmpty() || links.size() > MOST_LINKS) {
      throw new DiskException(
          Errno.EINVAL, name + ": a chain has 1 to " + MOST_LINKS + " images, not " + links.size());
    }
    return new DiskChain(links);
  }

  private static DiskException trouble(Path file, String what) {
    return new DiskException(Errno.EINVAL, file + ", the list of a chain: " + what);
  }

  /** The guest's image. */
  Link top() {
    return links.get(0);
  }
}

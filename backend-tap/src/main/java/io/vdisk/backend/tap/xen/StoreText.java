package io.vdisk.backend.tap.xen;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Texts of the store: paths, values and lists of them. Paths are of the characters that {@code
 * docs/misc/xenstore.txt} allows; values are UTF-8, because names of files are among them.
 */
final class StoreText {
  /** XENSTORE_ABS_PATH_MAX. */
  private static final int MOST_PATH_CHARACTERS = 3072;

  /** Characters of a value that a message repeats. */
  private static final int SHOWN = 80;

  /** So many characters of UTF-8, and a path, fit a message of the store. */
  private static final int MOST_TOLD = 1000;

  private static final Pattern PATH =
      Pattern.compile("/|(/[-A-Za-z0-9_@]+)+|@[-A-Za-z0-9_]+(/[0-9]+)?");

  private StoreText() {}

  /**
   * Reads what is no list. One zero byte at the end, which some writers leave there, is dropped.
   */
  static String value(byte[] bytes, String what) throws StoreException {
    int length = bytes.length > 0 && bytes[bytes.length - 1] == 0 ? bytes.length - 1 : bytes.length;
    String text = decoded(bytes, length, what);
    if (text.indexOf('\0') >= 0) {
      throw new StoreException(StoreException.EPROTO, what + " holds a zero byte");
    }
    return text;
  }

  /** Reads texts each of which ends in a zero byte. */
  static List<String> list(byte[] bytes, String what) throws StoreException {
    List<String> texts = new ArrayList<>();
    if (bytes.length == 0) {
      return texts;
    }
    if (bytes[bytes.length - 1] != 0) {
      throw new StoreException(StoreException.EPROTO, what + " has no zero byte at its end");
    }
    int start = 0;
    String all = decoded(bytes, bytes.length, what);
    for (int end = all.indexOf('\0'); end >= 0; end = all.indexOf('\0', start)) {
      texts.add(all.substring(start, end));
      start = end + 1;
    }
    return texts;
  }

  private static String decoded(byte[] bytes, int length, String what) throws StoreException {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, 0, length))
          .toString();
    } catch (CharacterCodingException e) {
      throw new StoreException(StoreException.EPROTO, what + " is no text in UTF-8", e);
    }
  }

  /** The path, if it is one. */
  static String path(String path) {
    if (path.length() > MOST_PATH_CHARACTERS || !PATH.matcher(path).matches()) {
      throw new IllegalArgumentException("'" + shown(path) + "' is no path of Xen's store");
    }
    return path;
  }

  static boolean isPath(String path) {
    return path.length() <= MOST_PATH_CHARACTERS && PATH.matcher(path).matches();
  }

  /** The text with no more than a line of it, and without control characters, for a message. */
  static String shown(String text) {
    return clean(text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...");
  }

  /**
   * A sentence about what went wrong as it is told in the store and in the log: strangers may have
   * named what it is about.
   */
  static String told(String sentence) {
    return clean(sentence.substring(0, Math.min(sentence.length(), MOST_TOLD)));
  }

  private static String clean(String text) {
    return text.replaceAll("\\p{Cntrl}", "?");
  }

  /** Texts, each ended by a zero byte. */
  static byte[] terminated(String... texts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (String text : texts) {
      if (text.indexOf('\0') >= 0) {
        throw new IllegalArgumentException("'" + shown(text) + "' holds a zero character");
      }
      bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
      bytes.write(0);
    }
    return bytes.toByteArray();
  }

  /** A path, ended by a zero byte, and a value, which is not. */
  static byte[] assignment(String path, String value) {
    byte[] both = terminated(path, value);
    return Arrays.copyOf(both, both.length - 1);
  }
}

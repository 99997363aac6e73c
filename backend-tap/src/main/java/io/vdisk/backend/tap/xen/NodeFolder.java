package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The nodes below one path, whose values another side wrote: each is checked before it is believed.
 *
 * @param path of the folder
 */
record NodeFolder(StoreNodes store, String path) {
  private static final int MOST_DIGITS = 18;

  /**
   * What a node holds; empty if it is missing.
   *
   * @throws DiskException if that is no text
   */
  Optional<String> find(String name) throws IOException {
    try {
      return store.find(path + "/" + name);
    } catch (StoreException e) {
      if (e.is(StoreException.EPROTO)) {
        throw trouble(String.valueOf(e.getMessage()));
      }
      throw e;
    }
  }

  /**
   * A node that must be there.
   *
   * @throws DiskException if it is not
   */
  String need(String name) throws IOException {
    return find(name)
        .orElseThrow(() -> trouble(path + "/" + name + " is missing from Xen's store"));
  }

  /**
   * A number; empty if the node is missing.
   *
   * @throws DiskException if it is none, or out of its range
   */
  OptionalLong number(String name, long least, long most) throws IOException {
    Optional<String> text = find(name);
    return text.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(number(name, text.get(), least, most));
  }

  /** The same of a node that must be there. */
  long neededNumber(String name, long least, long most) throws IOException {
    return number(name, need(name), least, most);
  }

  private long number(String name, String text, long least, long most) throws DiskException {
    boolean isNumber =
        !text.isEmpty()
            && text.length() <= MOST_DIGITS
            && text.chars().allMatch(c -> c >= '0' && c <= '9');
    long number = isNumber ? Long.parseLong(text) : -1;
    if (number < least || number > most) {
      throw trouble(
          path
              + "/"
              + name
              + " is '"
              + StoreText.shown(text)
              + "', no number from "
              + least
              + " to "
              + most);
    }
    return number;
  }

  /** A node that says yes by 1 and no by 0 or by being missing. */
  boolean isSet(String name) throws IOException {
    return number(name, 0, 1).orElse(0) == 1;
  }

  /** A folder within. */
  NodeFolder within(String name) {
    return new NodeFolder(store, path + "/" + name);
  }

  private static DiskException trouble(String sentence) {
    return new DiskException(Errno.EINVAL, sentence);
  }
}

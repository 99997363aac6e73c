package io.vdisk;

import io.vdisk.file.HostFile;
import java.util.Optional;

/**
 * A file that an image's own bytes name. Nothing in it has been checked.
 *
 * @param kind what the image wants of it
 * @param name as the image spells it
 * @param format the format that the image records for it; empty if none
 * @param from the file that names it
 * @param writable whether it is to be written
 */
public record Reference(
    Kind kind, String name, Optional<String> format, HostFile from, boolean writable) {
  /**
   * The format to open it as: what the image records, otherwise what a {@code json:} name says;
   * empty if neither does.
   */
  public Optional<String> openFormat() {
    if (format.isEmpty() && name.startsWith(JsonReference.PREFIX)) {
      try {
        return JsonReference.parse(name).format();
      } catch (JsonReference.RefusedException e) {
        return Optional.empty(); // the policy says what it thinks of such a name
      }
    }
    return format;
  }

  /** What a named file is to its image. */
  public enum Kind {
    /** Holds what the image does not. */
    BACKING("its backing file"),
    /** Holds a part of the virtual disk. */
    EXTENT("an extent"),
    /** Holds all guest data of the image. */
    DATA_FILE("its data file");

    private final String phrase;

    Kind(String phrase) {
      this.phrase = phrase;
    }

    String phrase() {
      return phrase;
    }
  }
}

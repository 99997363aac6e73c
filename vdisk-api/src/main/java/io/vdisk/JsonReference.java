package io.vdisk;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The plain file that QEMU's pseudo name {@code json:{...}} stands for: {@code {"driver": "qcow2",
 * "file": {"driver": "file", "filename": "x"}}}, with the inner names also as {@code
 * "file.filename"}. A name with anything in it that would lead elsewhere, or would show other bytes
 * than those of the file, is refused.
 *
 * @param filename of the file, taken as it stands
 * @param format as which it is to be opened; empty: as is found by probing
 */
record JsonReference(String filename, Optional<String> format) {
  static final String PREFIX = "json:";

  /** Drivers of QEMU that show the bytes of a host's file or device. */
  private static final Set<String> PLAIN = Set.of("file", "host_device");

  /** How QEMU would open the file, which shows no other bytes. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "node-name",
          "read-only",
          "auto-read-only",
          "force-share",
          "discard",
          "detect-zeroes",
          "cache.direct",
          "cache.no-flush",
          "aio",
          "locking");

  /** Why a name is not understood. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;

    RefusedException(String reason) {
      super(reason);
    }
  }

  /**
   * Reads a name that begins with {@link #PREFIX}.
   *
   * @throws RefusedException if it names no plain file
   */
  static JsonReference parse(String name) throws RefusedException {
    Map<String, String> options = new LinkedHashMap<>();
    try {
      flatten("", JsonText.object(name.substring(PREFIX.length())), options);
    } catch (JsonText.MalformedException e) {
      throw new RefusedException("it is no JSON: " + e.getMessage());
    }
    Optional<String> driver = take(options, "driver");
    // The file itself, without a format above it.
    boolean isBare = driver.isPresent() && PLAIN.contains(driver.get());
    String prefix = isBare ? "" : "file.";
    Optional<String> protocol = isBare ? driver : take(options, "file.driver");
    if (protocol.isPresent() && !PLAIN.contains(protocol.get())) {
      throw new RefusedException("its driver '" + protocol.get() + "' is no plain file");
    }
    Optional<String> filename = take(options, prefix + "filename");
    for (String option : options.keySet()) {
      if (!isWithoutEffect(option)) {
        throw new RefusedException("its option '" + option + "' is not supported here");
      }
    }
    if (filename.isEmpty() || filename.get().isEmpty()) {
      throw new RefusedException("it names no plain file ('" + prefix + "filename' is missing)");
    }
    if (protocol.isEmpty()) {
      refuseProtocol(filename.get());
    }
    return new JsonReference(filename.get(), isBare ? Optional.of("raw") : driver);
  }

  /** Without a driver QEMU reads a protocol before a colon, if no slash comes before. */
  private static void refuseProtocol(String file) throws RefusedException {
    int colon = file.indexOf(':');
    int slash = file.indexOf('/');
    if (colon >= 0 && (slash < 0 || slash > colon)) {
      throw new RefusedException(
          "the protocol '" + file.substring(0, colon) + "' is no plain file");
    }
  }

  private static boolean isWithoutEffect(String option) {
    return WITHOUT_EFFECT.contains(
        option.startsWith("file.") ? option.substring("file.".length()) : option);
  }

  private static Optional<String> take(Map<String, String> options, String name) {
    return Optional.ofNullable(options.remove(name));
  }

  /** Inner names as QEMU joins them, with points between. */
  private static void flatten(String prefix, Map<?, ?> object, Map<String, String> options)
      throws RefusedException {
    for (Map.Entry<?, ?> member : object.entrySet()) {
      String name = prefix + member.getKey();
      Object value = member.getValue();
      if (value instanceof Map<?, ?> inner) {
        flatten(name + ".", inner, options);
      } else {
        if (options.putIfAbsent(name, text(name, value)) != null) {
          throw new RefusedException("its option '" + name + "' comes twice");
        }
      }
    }
  }

  private static String text(String name, Object value) throws RefusedException {
    if (value instanceof String string) {
      return string;
    }
    if (value instanceof Boolean) {
      return value.toString();
    }
    if (value instanceof JsonText.Numeral numeral) {
      return numeral.spelling();
    }
    throw new RefusedException("its option '" + name + "' is not supported here");
  }
}

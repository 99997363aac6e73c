package io.vdisk.tools;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The image that an operand names: a file, or with {@code --image-opts} qemu-img's list of options,
 * of which those are understood that say where a file is and how it is enciphered.
 *
 * @param format as which it is to be opened, if that was said
 * @param secret the id of its passphrase
 */
record NamedImage(String file, Optional<String> format, Optional<String> secret) {
  /** What an operand means beside the options of its command. */
  static NamedImage of(Arguments arguments, String operand) throws UsageException {
    if (!arguments.has("--image-opts")) {
      return new NamedImage(operand, arguments.value("-f"), arguments.value("--source-secret"));
    }
    if (arguments.has("-f") || arguments.has("--source-secret")) {
      throw new UsageException("with --image-opts the image's own options say format and secret");
    }
    @Nullable String file = null;
    Optional<String> format = Optional.empty();
    Optional<String> secret = Optional.empty();
    for (String option : ImageOptions.split(operand)) {
      int equals = Math.max(0, option.indexOf('='));
      String value = option.substring(Math.min(option.length(), equals + 1));
      switch (option.substring(0, equals)) {
        case "driver" -> format = Optional.of(value);
        case "file.filename" -> file = value;
        case "encrypt.key-secret" -> secret = Optional.of(value);
        case "encrypt.format" -> {} // the image says it too
        case "file.driver" -> {
          if (!value.equals("file") && !value.equals("host_device")) {
            throw new UsageException("--image-opts knows no file.driver '" + value + "'");
          }
        }
        default ->
            throw new UsageException(
                "--image-opts takes driver, file.filename, encrypt.key-secret, not '"
                    + option
                    + "'");
      }
    }
    if (file == null) {
      throw new UsageException("--image-opts without file.filename");
    }
    return new NamedImage(file, format, secret);
  }

  Path path() {
    return Path.of(file);
  }
}

package io.vdisk.tools;

import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.InstalledFormats;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What {@code -o NAME=VALUE,...} says of an image, with the letters {@code -b}/{@code -B} and
 * {@code -F} that say the same: what the API has words for, and what is the format's own. A name
 * without a value is switched on.
 */
final class ImageOptions {
  private final List<FormatOption> declared;
  private final Map<String, String> own = new LinkedHashMap<>();
  private @Nullable String backing;
  private @Nullable String backingFormat;
  private @Nullable String size;
  private @Nullable String secret;

  private ImageOptions(List<FormatOption> declared) {
    this.declared = declared;
  }

  /**
   * Reads the lists of a command; a later value replaces an earlier one.
   *
   * @param format whose options they are, which may be unknown: where it declares a size, that may
   *     be written with a suffix
   */
  static ImageOptions of(Arguments arguments, String backingLetter, String format)
      throws UsageException {
    ImageOptions options = new ImageOptions(arguments.has("-o") ? declaredBy(format) : List.of());
    options.backing = arguments.value(backingLetter).orElse(null);
    options.backingFormat = arguments.value("-F").orElse(null);
    for (String list : arguments.values("-o")) {
      for (String option : split(list)) {
        options.add(option);
      }
    }
    return options;
  }

  private void add(String option) throws UsageException {
    int equals = option.indexOf('=');
    if (equals == 0 || option.isEmpty()) {
      throw new UsageException("-o takes NAME=VALUE, not '" + option + "'");
    }
    String name = equals < 0 ? option : option.substring(0, equals);
    String value = equals < 0 ? "on" : option.substring(equals + 1);
    switch (name) {
      case "backing_file" -> backing = value;
      case "backing_fmt" -> backingFormat = value;
      case "size" -> size = value;
      case "encrypt.key-secret" -> secret = value;
      default -> own.put(name, isSize(name) ? Long.toString(ByteSize.parse(value, 1)) : value);
    }
  }

  private static List<FormatOption> declaredBy(String format) {
    return InstalledFormats.find()
        .named(format)
        .map(ImageFormat::creationOptions)
        .orElse(List.of());
  }

  private boolean isSize(String name) {
    return declared.stream()
        .anyMatch(option -> option.name().equals(name) && option.value() == Value.SIZE);
  }

  /** The format's own options. */
  Map<String, String> own() {
    return own;
  }

  Optional<String> backing() {
    return Optional.ofNullable(backing);
  }

  Optional<String> backingFormat() {
    return Optional.ofNullable(backingFormat);
  }

  /** Bytes of the disk. */
  Optional<Long> size() throws UsageException {
    return size == null ? Optional.empty() : Optional.of(ByteSize.parse(size, 1));
  }

  /** The id of the passphrase. */
  Optional<String> secret() {
    return Optional.ofNullable(secret);
  }

  /** The same, said to the API; the size is left to the caller. */
  CreateOptions applyTo(CreateOptions options, SecretObjects secrets) throws UsageException {
    CreateOptions result = options;
    for (Map.Entry<String, String> option : own.entrySet()) {
      result = result.withOption(option.getKey(), option.getValue());
    }
    if (secret != null) {
      result = result.withSecrets(secrets.named(Optional.of(secret)));
    }
    return backing == null ? result : result.withBacking(backing, backingFormat);
  }

  /** At commas; two of them stand for one in a value. */
  static List<String> split(String list) {
    List<String> parts = new ArrayList<>();
    StringBuilder part = new StringBuilder();
    for (int i = 0; i < list.length(); i++) {
      char c = list.charAt(i);
      if (c != ',') {
        part.append(c);
      } else if (i + 1 < list.length() && list.charAt(i + 1) == ',') {
        part.append(c);
        i++;
      } else {
        parts.add(part.toString());
        part.setLength(0);
      }
    }
    parts.add(part.toString());
    return parts;
  }
}

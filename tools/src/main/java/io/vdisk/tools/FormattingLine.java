package io.vdisk.tools;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The line by which qemu-img tells what image it makes: scripts look for it. */
final class FormattingLine {
  /** The options of qcow2 in qemu-img's order; those that it tells though nobody gave them. */
  private static final List<String> QCOW2 =
      List.of(
          "encrypt.format",
          "encrypt.key-secret",
          "encrypt.cipher-alg",
          "encrypt.cipher-mode",
          "encrypt.ivgen-alg",
          "encrypt.ivgen-hash-alg",
          "encrypt.hash-alg",
          "encrypt.iter-time",
          "cluster_size=65536",
          "extended_l2=off",
          "preallocation",
          "compression_type=zlib",
          "size",
          "compat",
          "backing_file",
          "backing_fmt",
          "data_file",
          "data_file_raw",
          "lazy_refcounts=off",
          "refcount_bits=16");

  /** Any other format's: what else was given follows. */
  private static final List<String> OTHERS =
      List.of("size", "backing_file", "backing_fmt", "encrypt.format", "encrypt.key-secret");

  private FormattingLine() {}

  static String of(String file, String format, long size, ImageOptions said) {
    Map<String, String> given = new LinkedHashMap<>(said.own());
    given.put("size", Long.toString(size));
    put(given, "backing_file", said.backing().orElse(null));
    put(given, "backing_fmt", said.backingFormat().orElse(null));
    put(given, "encrypt.key-secret", said.secret().orElse(null));
    StringBuilder line = new StringBuilder("Formatting '" + file + "', fmt=" + format);
    for (String option : format.equals("qcow2") ? QCOW2 : OTHERS) {
      int equals = option.indexOf('=');
      String name = equals < 0 ? option : option.substring(0, equals);
      String value = given.remove(name);
      if (value == null && equals >= 0) {
        value = option.substring(equals + 1);
      }
      append(line, name, value);
    }
    for (Map.Entry<String, String> option : given.entrySet()) {
      append(line, option.getKey(), option.getValue());
    }
    return line.toString();
  }

  private static void put(Map<String, String> given, String name, @Nullable String value) {
    if (value != null) {
      given.put(name, value);
    }
  }

  /** A comma in a value stands twice, as in {@code -o}. */
  private static void append(StringBuilder line, String name, @Nullable String value) {
    if (value != null) {
      line.append(' ').append(name).append('=').append(value.replace(",", ",,"));
    }
  }
}

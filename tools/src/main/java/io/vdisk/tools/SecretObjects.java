package io.vdisk.tools;

import io.vdisk.Secrets;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The passphrases of a command line, {@code --object secret,id=ID,file=PATH} or {@code data=TEXT},
 * with {@code format=raw} (default) or {@code base64}, as qemu-img has them: a file counts with its
 * last newline. Closing wipes them; what {@code data} says stays visible to whoever lists
 * processes.
 */
final class SecretObjects implements Closeable {
  /** Bytes of a passphrase file: ours, against devices that never end. */
  private static final int MOST = 64 << 10;

  private final Map<String, byte[]> secrets = new HashMap<>();

  private SecretObjects() {}

  /** Reads what the values of {@code --object} name. */
  static SecretObjects of(List<String> objects) throws IOException, UsageException {
    SecretObjects made = new SecretObjects();
    boolean done = false;
    try {
      for (String object : objects) {
        made.add(object);
      }
      done = true;
      return made;
    } finally {
      if (!done) {
        made.close();
      }
    }
  }

  private void add(String object) throws IOException, UsageException {
    List<String> parts = ImageOptions.split(object);
    if (!parts.get(0).equals("secret")) {
      throw new UsageException("--object takes secret,id=ID,file=PATH and no other object");
    }
    Map<String, String> fields = new LinkedHashMap<>();
    for (String part : parts.subList(1, parts.size())) {
      int equals = part.indexOf('=');
      // Never shown: it may be a part of a passphrase.
      if (equals < 0
          || !List.of("id", "file", "data", "format").contains(part.substring(0, equals))) {
        throw new UsageException("a secret has id, file or data, and format");
      }
      fields.put(part.substring(0, equals), part.substring(equals + 1));
    }
    @Nullable String id = fields.get("id");
    @Nullable String file = fields.get("file");
    @Nullable String data = fields.get("data");
    if (id == null || (file == null) == (data == null)) {
      throw new UsageException("a secret has an id, and either file or data");
    }
    byte[] bytes =
        file == null ? String.valueOf(data).getBytes(StandardCharsets.UTF_8) : read(file);
    byte[] secret = decoded(bytes, fields.getOrDefault("format", "raw"), id);
    byte[] other = secrets.putIfAbsent(id, secret);
    if (other != null) {
      Arrays.fill(secret, (byte) 0);
      throw new UsageException("there are two secrets with the id " + id);
    }
  }

  private static byte[] read(String file) throws IOException, UsageException {
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      byte[] bytes = in.readNBytes(MOST + 1);
      if (bytes.length > MOST) {
        Arrays.fill(bytes, (byte) 0);
        throw new UsageException("the secret in " + file + " has over " + MOST + " bytes");
      }
      return bytes;
    }
  }

  private static byte[] decoded(byte[] bytes, String format, String id) throws UsageException {
    switch (format) {
      case "raw" -> {
        return bytes;
      }
      case "base64" -> {
        try {
          int end = bytes.length;
          while (end > 0 && Character.isWhitespace(bytes[end - 1])) {
            end--;
          }
          byte[] text = Arrays.copyOf(bytes, end);
          try {
            return Base64.getMimeDecoder().decode(text);
          } finally {
            Arrays.fill(text, (byte) 0);
          }
        } catch (IllegalArgumentException e) {
          throw new UsageException("the secret " + id + " is no base64");
        } finally {
          Arrays.fill(bytes, (byte) 0);
        }
      }
      default -> throw new UsageException("a secret's format is raw or base64");
    }
  }

  /** Who knows the secret of this id; without an id nobody knows any. */
  Secrets named(Optional<String> id) throws UsageException {
    if (id.isEmpty()) {
      return Secrets.NONE;
    }
    byte[] bytes = secrets.get(id.get());
    if (bytes == null) {
      throw new UsageException("there is no --object secret,id=" + id.get());
    }
    return (file, purpose) -> Optional.of(bytes.clone());
  }

  /** The secret of this id as text; the caller wipes it. */
  char[] characters(String id) throws UsageException {
    byte[] bytes = secrets.get(id);
    if (bytes == null) {
      throw new UsageException("there is no --object secret,id=" + id);
    }
    try {
      CharBuffer decoded = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      char[] characters = new char[decoded.remaining()];
      decoded.get(characters);
      Arrays.fill(decoded.array(), '\0');
      return characters;
    } catch (CharacterCodingException e) {
      throw new UsageException("the secret " + id + " is no text in UTF-8");
    }
  }

  @Override
  public void close() {
    secrets.values().forEach(bytes -> Arrays.fill(bytes, (byte) 0));
  }
}

package io.vdisk.host.linux;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The name of a file as the kernel takes it: bytes, of which Java's string may have lost some where
 * they are no text in the encoding of the user. The path's URI has them all.
 */
final class PathName {
  private PathName() {}

  static MemorySegment of(Path path, Arena arena) {
    Path absolute = path.toAbsolutePath();
    String text = absolute.toString();
    byte[] name =
        StandardCharsets.US_ASCII.newEncoder().canEncode(text)
            ? text.getBytes(StandardCharsets.US_ASCII)
            : unescape(absolute.toUri().getRawPath());
    MemorySegment memory = arena.allocate(name.length + 1); // it is zero
    memory.asByteBuffer().put(name);
    return memory;
  }

  private static byte[] unescape(String escaped) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < escaped.length(); i++) {
      char c = escaped.charAt(i);
      if (c == '%') {
        bytes.write(Integer.parseInt(escaped, i + 1, i + 3, 16));
        i += 2;
      } else {
        bytes.write(c);
      }
    }
    return bytes.toByteArray();
  }
}

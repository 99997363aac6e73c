package io.vdisk.tools;

import io.vdisk.backend.tap.control.EncryptionKey;
import io.vdisk.backend.tap.control.OpenFlag;
import io.vdisk.backend.tap.control.OpenRequest;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What the options of {@code tap-ctl open} and {@code create} ask for. */
final class TapOpening {
  private static final Map<Character, OpenFlag> FLAGS =
      Map.of(
          'R', OpenFlag.READ_ONLY,
          'D', OpenFlag.NO_DIRECT,
          'r', OpenFlag.LOCAL_CACHE,
          'e', OpenFlag.REUSE_PARENT,
          '2', OpenFlag.SECONDARY,
          's', OpenFlag.STANDBY,
          'C', OpenFlag.ADD_LOG,
          'E', OpenFlag.ENCRYPTED);

  private static final int MAX_TIMEOUT = 0xffff;

  private TapOpening() {}

  static OpenRequest of(ShortOptions options, InputStream in) throws IOException, UsageException {
    Optional<String> disk = options.value('a');
    if (disk.isEmpty()) {
      throw new UsageException("");
    }
    Set<OpenFlag> flags = EnumSet.noneOf(OpenFlag.class);
    FLAGS.forEach(
        (letter, flag) -> {
          if (options.has(letter)) {
            flags.add(flag);
          }
        });
    int timeout = options.number('t').orElse(0);
    if (timeout > MAX_TIMEOUT) {
      throw new UsageException("-t takes at most " + MAX_TIMEOUT + " seconds");
    }
    return new OpenRequest(
        disk.get(),
        flags,
        options.number('e').orElse(-1),
        timeout,
        options.value('2'),
        options.value('C'),
        options.has('E') ? Optional.of(key(options, in)) : Optional.empty());
  }

  /** The key, 32 or 64 bytes, from standard input. */
  private static EncryptionKey key(ShortOptions options, InputStream in)
      throws IOException, KeyException {
    if (options.count('E') > 1) {
      throw new KeyException("Only supply -E once");
    }
    byte[] key = in.readNBytes(65);
    if (key.length != 32 && key.length != 64) {
      throw new KeyException("Unsupported keysize, use either 256 bit or 512 bit key");
    }
    EncryptionKey kept = new EncryptionKey(key);
    Arrays.fill(key, (byte) 0);
    return kept;
  }

  /** The key on standard input is none. The exit code is 1. */
  static final class KeyException extends IOException {
    private static final long serialVersionUID = 1;

    KeyException(String message) {
      super(message);
    }
  }
}

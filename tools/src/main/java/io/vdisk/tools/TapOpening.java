package io.vdisk.tools;

import io.vdisk.backend.tap.disk.DiskKey;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
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
          'D', OpenFlag.NO_O_DIRECT,
          'r', OpenFlag.LOCAL_CACHE,
          's', OpenFlag.STANDBY);

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
        DiskName.absolute(disk.get()),
        flags,
        options.value('C').map(name -> Path.of(name).toAbsolutePath()),
        options.value('2').map(DiskName::absolute),
        options.has('E') ? Optional.of(key(options, in)) : Optional.empty(),
        options.number('e'),
        timeout);
  }

  /** The key, 32 or 64 bytes, from standard input. */
  private static DiskKey key(ShortOptions options, InputStream in)
      throws IOException, KeyException {
    if (options.count('E') > 1) {
      throw new KeyException("Only supply -E once");
    }
    byte[] key = in.readNBytes(65);
    if (key.length != 32 && key.length != 64) {
      throw new KeyException("Unsupported keysize, use either 256 bit or 512 bit key");
    }
    DiskKey kept = new DiskKey(key);
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

package io.vdisk.bench.engine;

import io.vdisk.BlockDevice;
import io.vdisk.file.PageCache;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** What is asked: the engine, or the file below it without the engine. */
enum Subject {
  ENGINE("engine"),
  LOCAL_FILE("LocalFile"),
  FILE_CHANNEL("FileChannel"),
  SYSTEM_CALLS("pread");

  private final String word;

  Subject(String word) {
    this.word = word;
  }

  /** Its name in parameters and reports. */
  String word() {
    return word;
  }

  /**
   * The subject of that name.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Subject of(String word) {
    return Arrays.stream(values())
        .filter(subject -> subject.word.equals(word))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there is no subject '" + word + "'"));
  }

  /** A device as this subject sees it; closes the device with itself. */
  Disk open(BlockDevice device, Path file, boolean writable, PageCache cache) throws IOException {
    return this == ENGINE
        ? new DeviceDisk(device)
        : bare(Places.of(device), file, writable, cache, device);
  }

  /**
   * The bare file.
   *
   * @param owner closed with it
   */
  Disk bare(Places places, Path file, boolean writable, PageCache cache, Closeable owner)
      throws IOException {
    ByteBuffer zeroes = Disk.buffer();
    boolean direct = cache == PageCache.BYPASSED;
    switch (this) {
      case LOCAL_FILE -> {
        return new HostDisk(places, zeroes, owner);
      }
      case FILE_CHANNEL -> {
        owner.close();
        return new ChannelDisk(channel(file, writable, direct), places, zeroes);
      }
      case SYSTEM_CALLS -> {
        owner.close();
        return SystemCalls.opener()
            .orElseThrow(() -> new UnsupportedOperationException(word + " needs Java 22"))
            .open(file, writable, direct, places);
      }
      default -> throw new IllegalArgumentException(word + " is no bare file");
    }
  }

  private static FileChannel channel(Path file, boolean writable, boolean direct)
      throws IOException {
    Set<OpenOption> options = new HashSet<>(Set.of(StandardOpenOption.READ));
    if (writable) {
      options.add(StandardOpenOption.WRITE);
    }
    if (direct) {
      options.add(Direct.option());
    }
    return FileChannel.open(file, options);
  }
}

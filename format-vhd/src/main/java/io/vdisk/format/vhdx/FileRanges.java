package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What lies where in a file besides blocks: header section, log and regions. None overlap. */
final class FileRanges {
  static final long MIB = 1 << 20;

  /** The header section. Source: [MS-VHDX] 2.2. */
  static final long HEADER_SECTION = MIB;

  /**
   * Most bytes of a file that is believed: the largest disk twice, and room for tables. Also what
   * 44 bits of mebibytes can never reach by accident.
   */
  static final long MAX_FILE = 192L << 40;

  /**
   * A range.
   *
   * @param what for messages
   * @param offset first byte
   * @param length bytes
   */
  record Range(String what, long offset, long length) {
    long end() {
      return offset + length;
    }

    boolean overlaps(long otherOffset, long otherLength) {
      return offset < otherOffset + otherLength && otherOffset < end();
    }
  }

  private final String file;
  private final List<Range> ranges = new ArrayList<>();

  /** The ranges of a file, for whose name messages have {@code file}. */
  FileRanges(String file) {
    this.file = file;
    ranges.add(new Range("the header section", 0, HEADER_SECTION));
  }

  /** Whether a log or a region may begin there. */
  static boolean isPlace(long offset) {
    return offset >= HEADER_SECTION && offset % MIB == 0 && offset < MAX_FILE;
  }

  /** Adds a range, which may overlap none. */
  void add(String what, long offset, long length) throws CorruptImageException {
    Optional<Range> other = at(offset, length);
    if (other.isPresent()) {
      throw new CorruptImageException(
          file + ": " + what + " at " + offset + " overlaps " + other.get().what());
    }
    ranges.add(new Range(what, offset, length));
  }

  /** What overlaps a range. */
  Optional<Range> at(long offset, long length) {
    for (Range range : ranges) {
      if (range.overlaps(offset, length)) {
        return Optional.of(range);
      }
    }
    return Optional.empty();
  }

  List<Range> all() {
    return ranges;
  }

  /** Where the last one ends. */
  long end() {
    long end = 0;
    for (Range range : ranges) {
      end = Math.max(end, range.end());
    }
    return end;
  }
}

package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The two headers at 64 and 128 KiB, of which one is current. An update writes the other, durably,
 * which is current then: a power cut leaves one of the two. Not thread-safe.
 */
final class HeaderPair {
  static final long FIRST = 64 << 10;
  static final long SECOND = 128 << 10;

  private final HostFile file;

  /** Where the current one lies. */
  private long place;

  private VhdxHeader current;

  private Optional<String> brokenLog = Optional.empty();

  /** What is odd, though one header is valid. */
  private final List<String> oddities;

  private HeaderPair(HostFile file, long place, VhdxHeader current, List<String> oddities) {
    this.file = file;
    this.place = place;
    this.current = current;
    this.oddities = oddities;
  }

  /**
   * Finds the current header.
   *
   * @throws CorruptImageException if there is none, or it is impossible
   */
  static HeaderPair read(HostFile file) throws IOException {
    Optional<VhdxHeader> first = read(file, FIRST);
    Optional<VhdxHeader> second = read(file, SECOND);
    List<String> oddities = new ArrayList<>();
    if (first.isEmpty()) {
      oddities.add("the header at 65536 has a wrong signature or checksum");
    }
    if (second.isEmpty()) {
      oddities.add("the header at 131072 has a wrong signature or checksum");
    }
    if (first.isEmpty() && second.isEmpty()) {
      throw new CorruptImageException(file.name() + ": neither header is valid");
    }
    boolean isFirst =
        second.isEmpty() || (first.isPresent() && !second.get().isNewerThan(first.get()));
    if (first.isPresent()
        && second.isPresent()
        && first.get().sequenceNumber() == second.get().sequenceNumber()
        && !first.get().equals(second.get())) {
      throw new CorruptImageException(
          file.name() + ": both headers have sequence number " + first.get().sequenceNumber());
    }
    VhdxHeader current = isFirst ? first.orElseThrow() : second.orElseThrow();
    check(current, file);
    return new HeaderPair(file, isFirst ? FIRST : SECOND, current, oddities);
  }

  private static Optional<VhdxHeader> read(HostFile file, long place) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(VhdxHeader.STRUCT.size());
    file.readPadded(bytes, place);
    return VhdxHeader.decode(bytes.flip());
  }

  private static void check(VhdxHeader header, HostFile file) throws IOException {
    if (header.version() != VhdxHeader.ONLY_VERSION) {
      throw new UnsupportedImageException(
          file.name() + ": VHDX version " + header.version() + " is unknown");
    }
    if (header.logVersion() != 0 && !header.logGuid().isNil()) {
      throw new UnsupportedImageException(
          file.name() + ": its log has version " + header.logVersion() + ", which is unknown");
    }
    boolean hasLog = header.logLength() != 0;
    if (header.logLength() % FileRanges.MIB != 0
        || (hasLog && !FileRanges.isPlace(header.logOffset()))) {
      throw new CorruptImageException(
          file.name()
              + ": a log of "
              + header.logLength()
              + " bytes at "
              + Long.toUnsignedString(header.logOffset()));
    }
  }

  /** A pair for a new file; {@link #update} then writes the first one. */
  static HeaderPair ofNew(HostFile file, VhdxHeader header) {
    return new HeaderPair(file, SECOND, header, List.of());
  }

  /** The same pair, written through another file. */
  HeaderPair of(HostFile other) {
    HeaderPair pair = new HeaderPair(other, place, current, oddities);
    pair.brokenLog = brokenLog;
    return pair;
  }

  VhdxHeader current() {
    return current;
  }

  /** What a check warns of. */
  List<String> oddities() {
    return oddities;
  }

  /** Makes {@code header} current, with the next number; durable when this returns. */
  void update(VhdxHeader header) throws IOException {
    VhdxHeader next = header.withSequenceNumber(current.sequenceNumber() + 1);
    long other = place == FIRST ? SECOND : FIRST;
    file.write(next.encode(), other);
    file.flush();
    place = other;
    current = next;
  }

  /** Makes {@code header} current in both places, so that either can be lost. */
  void updateBoth(VhdxHeader header) throws IOException {
    update(header);
    update(current);
  }

  /** Notes why the log that the header names cannot be replayed. */
  void setBrokenLog(String why) {
    brokenLog = Optional.of(why);
  }

  /** Why the log cannot be replayed; empty: it was, or there is none. */
  Optional<String> brokenLog() {
    return brokenLog;
  }

  /** Gives a log up that cannot be replayed: what it would have changed stays as it was. */
  void discardLog() throws IOException {
    updateBoth(current.withFileWriteGuid(Guid.random()).withLogGuid(Guid.NIL));
    brokenLog = Optional.empty();
  }

  /** Writes both headers of a new file, which is no image yet. */
  void writeBoth() throws IOException {
    file.write(current.withSequenceNumber(1).encode(), FIRST);
    file.write(current.withSequenceNumber(2).encode(), SECOND);
  }

  /** Sees that a header that was found invalid is valid, too. */
  void mend() throws IOException {
    updateBoth(current);
  }
}

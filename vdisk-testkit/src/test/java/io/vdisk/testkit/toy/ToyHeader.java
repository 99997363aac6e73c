package io.vdisk.testkit.toy;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The first 512 bytes of every toy image.
 *
 * @param kind the format's name
 * @param virtualSize bytes of the virtual disk
 * @param words what the format itself wants to know, at most {@link #WORDS}
 * @param backingName the backing file; empty if none
 * @param backingFormat its format; empty if unknown
 */
record ToyHeader(
    String kind,
    long virtualSize,
    List<Long> words,
    Optional<String> backingName,
    Optional<String> backingFormat) {
  static final int BYTES = 512;
  static final int WORDS = 8;

  /** Where the words begin: a format may have some of them as a table. */
  static final int WORDS_OFFSET = 32;

  private static final long MAGIC_VALUE = 0x7664_6973_6b74_6f79L; // "vdisktoy"
  private static final Struct STRUCT = Struct.bigEndian("toy header");
  private static final Struct.U64 MAGIC = STRUCT.u64("magic");
  private static final Struct.Bytes KIND = STRUCT.bytes("kind", 16);
  private static final Struct.U64 VIRTUAL_SIZE = STRUCT.u64("virtual_size");
  private static final List<Struct.U64> WORD = new ArrayList<>();

  static {
    for (int i = 0; i < WORDS; i++) {
      WORD.add(STRUCT.u64("word_" + i));
    }
  }

  private static final Struct.Bytes BACKING_FORMAT = STRUCT.bytes("backing_format", 16);
  private static final Struct.Bytes BACKING_NAME = STRUCT.bytes("backing_name", 256);

  static {
    STRUCT.bytes("reserved", 144);
    STRUCT.end(BYTES);
  }

  ToyHeader withWords(List<Long> values) {
    return new ToyHeader(kind, virtualSize, List.copyOf(values), backingName, backingFormat);
  }

  /** Whether {@code file} begins as an image of this kind does. */
  static boolean isThere(HostFile file, String kind) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    return file.read(bytes, 0) == BYTES
        && MAGIC.get(bytes, 0) == MAGIC_VALUE
        && KIND.ascii(bytes, 0).equals(kind);
  }

  static ToyHeader read(HostFile file, String kind, Limits limits) throws IOException {
    if (!isThere(file, kind)) {
      throw new CorruptImageException(file.name() + ": no " + kind + " header at offset 0");
    }
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    try {
      file.readFully(bytes, 0);
    } catch (EOFException e) {
      throw new CorruptImageException(file.name() + ": ends in its header", e);
    }
    long size = VIRTUAL_SIZE.get(bytes, 0);
    if (size < 0 || size > ToyFormat.MAX_VIRTUAL_SIZE) {
      throw new CorruptImageException(file.name() + ": virtual_size is " + size);
    }
    limits.checkVirtualSize(size, file.name());
    List<Long> words = new ArrayList<>();
    for (Struct.U64 word : WORD) {
      words.add(word.get(bytes, 0));
    }
    return new ToyHeader(
        kind,
        size,
        words,
        nonEmpty(BACKING_NAME.ascii(bytes, 0)),
        nonEmpty(BACKING_FORMAT.ascii(bytes, 0)));
  }

  void write(HostFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    MAGIC.put(bytes, 0, MAGIC_VALUE);
    KIND.put(bytes, 0, ascii(kind));
    VIRTUAL_SIZE.put(bytes, 0, virtualSize);
    for (int i = 0; i < words.size(); i++) {
      WORD.get(i).put(bytes, 0, words.get(i));
    }
    BACKING_FORMAT.put(bytes, 0, ascii(backingFormat.orElse("")));
    BACKING_NAME.put(bytes, 0, ascii(backingName.orElse("")));
    file.write(bytes, 0);
  }

  Optional<Reference> backing(HostFile file) {
    return backingName.map(
        name -> new Reference(Reference.Kind.BACKING, name, backingFormat, file, false));
  }

  /** A word that must be the offset of whole sectors inside the file. */
  long offsetWord(int i, HostFile file) throws IOException {
    long offset = words.get(i);
    if (offset < BYTES || offset % 512 != 0 || offset >= file.size()) {
      throw new CorruptImageException(file.name() + ": word_" + i + " is offset " + offset);
    }
    return offset;
  }

  /** A word that must lie in a range. */
  long word(int i, long least, long most, HostFile file) throws CorruptImageException {
    long value = words.get(i);
    if (value < least || value > most) {
      throw new CorruptImageException(file.name() + ": word_" + i + " is " + value);
    }
    return value;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static Optional<String> nonEmpty(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}

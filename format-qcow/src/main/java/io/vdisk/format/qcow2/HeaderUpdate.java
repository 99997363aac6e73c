package io.vdisk.format.qcow2;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Changes an image's header; durable when it is written. A power cut leaves the old header or the
 * new one: the fields and everything that is needed lie in the first sector, which is there whole
 * or not at all; the names of features, which are not needed, follow once that is durable. Only
 * where extensions are too long for one sector are they written as one piece of several. The caller
 * is alone on the image. One thread, used once.
 */
final class HeaderUpdate {
  /** What the host writes whole or not at all. */
  private static final int SECTOR = 512;

  private final HostFile file;
  private final int clusterSize;
  private ByteBuffer fields;
  private List<HeaderExtension> extensions;
  private byte[] backingName;
  private boolean isLayoutNew;

  HeaderUpdate(HostFile file, Qcow2Header header) throws IOException {
    this.file = file;
    this.clusterSize = header.clusterSize();
    this.fields = ByteBuffer.allocate(header.length);
    file.readFully(fields, 0);
    this.extensions = new ArrayList<>(header.extensions);
    this.backingName =
        header.backingName.map(name -> name.getBytes(StandardCharsets.UTF_8)).orElse(new byte[0]);
  }

  HeaderUpdate set(Struct.U64 field, long value) {
    field.put(fields, 0, value);
    return this;
  }

  HeaderUpdate set(Struct.U32 field, long value) {
    field.put(fields, 0, value);
    return this;
  }

  /** Makes it a header of another version, whose further fields are 0. */
  HeaderUpdate version(int version) {
    isLayoutNew = true;
    int length = version == 2 ? Qcow2Header.VERSION_2_LENGTH : Qcow2Header.LENGTH;
    ByteBuffer other = ByteBuffer.allocate(length);
    other.put(fields.clear().limit(Math.min(length, Qcow2Header.VERSION_2_LENGTH)));
    fields = other;
    set(Qcow2Header.VERSION, version);
    if (version == 3) {
      set(Qcow2Header.HEADER_LENGTH, length);
      set(Qcow2Header.REFCOUNT_ORDER, Qcow2Header.VERSION_2_REFCOUNT_ORDER);
    }
    return this;
  }

  /** Puts an extension in the place of that of its type, or behind the others. */
  HeaderUpdate put(HeaderExtension extension) {
    remove(extension.type());
    extensions.add(extension);
    return this;
  }

  /** Leaves out the extension of a type. */
  HeaderUpdate remove(int type) {
    isLayoutNew = true;
    extensions.removeIf(extension -> extension.type() == type);
    return this;
  }

  /** Names another backing file, or none. */
  HeaderUpdate backing(Optional<String> name, Optional<String> format)
      throws UnsupportedImageException {
    backingName = name.map(text -> text.getBytes(StandardCharsets.UTF_8)).orElse(new byte[0]);
    if (backingName.length > Qcow2Header.MAX_BACKING_NAME) {
      throw new UnsupportedImageException(
          file.name()
              + ": the name of the backing file is longer than "
              + Qcow2Header.MAX_BACKING_NAME
              + " bytes");
    }
    remove(HeaderExtension.BACKING_FORMAT);
    if (name.isPresent() && format.isPresent()) {
      extensions.add(HeaderExtension.text(HeaderExtension.BACKING_FORMAT, format.get()));
    }
    return this;
  }

  /** Writes it. */
  void write() throws IOException {
    if (!isLayoutNew) {
      file.write(fields.duplicate().clear(), 0);
      file.flush();
      return;
    }
    extensions.removeIf(extension -> extension.type() == HeaderExtension.FEATURE_NAMES);
    int needed = fields.capacity() + HeaderExtension.PREFIX;
    for (HeaderExtension extension : extensions) {
      needed += extension.size();
    }
    HeaderExtension names = HeaderExtension.featureNames();
    boolean isVersion2 = Qcow2Header.VERSION.get(fields, 0) == 2;
    boolean isNamed = !isVersion2 && needed + names.size() + backingName.length <= clusterSize;
    if (needed + backingName.length > clusterSize) {
      throw new UnsupportedImageException(
          file.name() + ": the header has no room for this: its cluster has " + clusterSize);
    }
    int nameAt = nameAt(needed + (isNamed ? names.size() : 0));
    Qcow2Header.BACKING_FILE_OFFSET.put(fields, 0, backingName.length == 0 ? 0 : nameAt);
    Qcow2Header.BACKING_FILE_SIZE.put(fields, 0, backingName.length);
    if (nameAt >= SECTOR && backingName.length > 0) {
      file.write(ByteBuffer.wrap(backingName), nameAt);
      file.flush();
    }
    writeNeeded(needed, nameAt);
    if (isNamed) {
      append(names, needed - HeaderExtension.PREFIX);
    }
  }

  /** A place for the name behind the extensions, best where nothing is that the header has now. */
  private int nameAt(int end) throws IOException {
    ByteBuffer now = ByteBuffer.allocate(Qcow2Header.VERSION_2_LENGTH);
    file.readFully(now, 0);
    long oldAt = Qcow2Header.BACKING_FILE_OFFSET.get(now, 0);
    long behind = oldAt == 0 ? end : oldAt + Qcow2Header.BACKING_FILE_SIZE.get(now, 0);
    long free = Math.max(Math.max(end, behind), SECTOR);
    return free + backingName.length <= clusterSize ? (int) free : end;
  }

  private void writeNeeded(int needed, int nameAt) throws IOException {
    boolean isNameInside = backingName.length > 0 && nameAt < SECTOR;
    int end = isNameInside ? Math.max(needed, nameAt + backingName.length) : needed;
    ByteBuffer bytes = ByteBuffer.allocate(Math.max(end, Math.min(SECTOR, clusterSize)));
    bytes.put(fields.duplicate().clear());
    for (HeaderExtension extension : extensions) {
      extension.encode(bytes);
    }
    if (isNameInside) {
      bytes.position(nameAt).put(backingName);
    }
    file.write(bytes.clear(), 0);
    file.flush();
  }

  /** Adds an extension at the end: first what it holds, then the eight bytes that begin it. */
  private void append(HeaderExtension extension, int at) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(extension.size() + HeaderExtension.PREFIX);
    extension.encode(bytes);
    bytes.clear();
    file.write(bytes.duplicate().position(HeaderExtension.PREFIX), at + HeaderExtension.PREFIX);
    file.flush();
    file.write(bytes.limit(HeaderExtension.PREFIX), at);
    file.flush();
  }
}

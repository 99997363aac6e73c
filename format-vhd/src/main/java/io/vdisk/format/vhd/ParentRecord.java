package io.vdisk.format.vhd;

import io.vdisk.ImageInfo;
import io.vdisk.UnsupportedImageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * What a differencing disk is to say of a parent: as Xen's tools write it, the same name for every
 * system, relative if it was given so.
 *
 * @param id of the parent; {@link UniqueId#NONE} if it is no VHD
 * @param timeStamp when the parent was changed last, seconds since 2000; 0 if not known
 * @param name as it was given
 */
record ParentRecord(UUID id, long timeStamp, String name) {
  private static final int SECTOR = Structures.SECTOR;

  /** A parent that is no VHD. */
  static ParentRecord ofRaw(String name) {
    return new ParentRecord(UniqueId.NONE, 0, name);
  }

  /** A parent that was looked at. */
  static ParentRecord of(ImageInfo info, String name, String child) throws IOException {
    switch (info.format()) {
      case "raw" -> {
        return ofRaw(name);
      }
      case VhdFormat.NAME -> {
        Object id = info.details().get(VhdDescription.UNIQUE_ID);
        return new ParentRecord(
            UUID.fromString(String.valueOf(id)), ModificationTime.of(info).orElse(0L), name);
      }
      default ->
          throw new UnsupportedImageException(
              child + ": the parent of a VHD is a VHD or a raw disk, not " + info.format());
    }
  }

  private List<Long> codes() {
    return name.startsWith("/")
        ? List.of(ParentLocator.MACX, ParentLocator.W2KU)
        : List.of(ParentLocator.MACX, ParentLocator.W2KU, ParentLocator.W2RU);
  }

  private static long space(byte[] text) {
    return Structures.roundUp(Math.max(1, text.length), SECTOR);
  }

  /** Bytes that the names take in the file. */
  long bytes() {
    long bytes = 0;
    for (long code : codes()) {
      bytes += space(ParentLocator.encodeName(code, name));
    }
    return bytes;
  }

  /** The names as they lie in the file. */
  ByteBuffer names() {
    ByteBuffer names = ByteBuffer.allocate((int) bytes());
    for (long code : codes()) {
      byte[] text = ParentLocator.encodeName(code, name);
      int start = names.position();
      names.put(text).position(start + (int) space(text));
    }
    return names.flip();
  }

  /** The header with this parent, whose names lie at {@code offset}. */
  DynamicDiskHeader applyTo(DynamicDiskHeader header, long offset) {
    List<ParentLocator> locators = new ArrayList<>();
    long at = offset;
    for (long code : codes()) {
      byte[] text = ParentLocator.encodeName(code, name);
      locators.add(new ParentLocator(code, space(text), text.length, at));
      at += space(text);
    }
    String file = name.substring(name.lastIndexOf('/') + 1);
    return header.withParent(id, timeStamp, file, locators);
  }
}

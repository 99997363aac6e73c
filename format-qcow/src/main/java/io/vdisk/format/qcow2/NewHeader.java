package io.vdisk.format.qcow2;

import io.vdisk.format.qcow2.HeaderExtension.Feature;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The first cluster of a new image: header, extensions, name of the backing file. */
final class NewHeader {
  private final Qcow2Options choices;
  private final long virtualSize;
  private final Optional<byte[]> backingName;
  private final Optional<String> backingFormat;

  NewHeader(
      Qcow2Options choices,
      long virtualSize,
      Optional<byte[]> backingName,
      Optional<String> backingFormat) {
    this.choices = choices;
    this.virtualSize = virtualSize;
    this.backingName = backingName;
    this.backingFormat = backingFormat;
  }

  /**
   * Encodes it.
   *
   * @param encryptionBytes length of the encryption header; 0 if there is none
   * @throws IllegalArgumentException if the names do not fit into a cluster
   */
  ByteBuffer encode(NewTables places, long encryptionBytes) {
    int length = choices.version == 2 ? Qcow2Header.VERSION_2_LENGTH : Qcow2Header.LENGTH;
    ByteBuffer header = ByteBuffer.allocate(1 << choices.clusterBits);
    Qcow2Header.MAGIC.put(header, 0, Qcow2Header.QFI);
    Qcow2Header.VERSION.put(header, 0, choices.version);
    Qcow2Header.CLUSTER_BITS.put(header, 0, choices.clusterBits);
    Qcow2Header.SIZE.put(header, 0, virtualSize);
    Qcow2Header.CRYPT_METHOD.put(header, 0, choices.cryptMethod);
    Qcow2Header.L1_SIZE.put(header, 0, places.l1Entries);
    Qcow2Header.L1_TABLE_OFFSET.put(header, 0, places.l1);
    Qcow2Header.REFCOUNT_TABLE_OFFSET.put(header, 0, places.table);
    Qcow2Header.REFCOUNT_TABLE_CLUSTERS.put(header, 0, places.tableClusters);
    if (choices.version == 3) {
      putFeatures(header);
      Qcow2Header.REFCOUNT_ORDER.put(header, 0, choices.refcountOrder);
      Qcow2Header.HEADER_LENGTH.put(header, 0, length);
      Qcow2Header.COMPRESSION_TYPE.put(header, 0, choices.compressionType);
    }
    byte[] name = backingName.orElse(new byte[0]);
    header.position(length);
    int room = header.remaining() - name.length;
    for (HeaderExtension extension : extensions(room, places.encryption, encryptionBytes)) {
      extension.encode(header);
    }
    header.position(header.position() + HeaderExtension.PREFIX); // the end, which is zero
    if (backingName.isPresent()) {
      Qcow2Header.BACKING_FILE_OFFSET.put(header, 0, header.position());
      Qcow2Header.BACKING_FILE_SIZE.put(header, 0, name.length);
      header.put(name);
    }
    return header.flip();
  }

  private void putFeatures(ByteBuffer header) {
    long incompatible =
        bit(Feature.DATA_FILE, choices.dataFile.isPresent())
            | bit(Feature.COMPRESSION_TYPE, choices.compressionType != 0)
            | bit(Feature.EXTENDED_L2, choices.extended);
    long compatible = bit(Feature.LAZY_REFCOUNTS, choices.lazyRefcounts);
    long autoclear = bit(Feature.RAW_DATA_FILE, choices.dataFileRaw);
    Qcow2Header.INCOMPATIBLE_FEATURES.put(header, 0, incompatible);
    Qcow2Header.COMPATIBLE_FEATURES.put(header, 0, compatible);
    Qcow2Header.AUTOCLEAR_FEATURES.put(header, 0, autoclear);
  }

  private static long bit(Feature feature, boolean isSet) {
    return isSet ? feature.mask() : 0;
  }

  /** What fits: the names of features may be left out, the format of the backing file not. */
  private List<HeaderExtension> extensions(int room, long encryption, long encryptionBytes) {
    List<HeaderExtension> wanted = new ArrayList<>();
    if (encryptionBytes > 0) {
      ByteBuffer pointer = ByteBuffer.allocate(2 * Long.BYTES);
      pointer.putLong(encryption).putLong(encryptionBytes);
      wanted.add(new HeaderExtension(HeaderExtension.ENCRYPTION, pointer.array()));
    }
    if (backingName.isPresent() && backingFormat.isPresent()) {
      wanted.add(HeaderExtension.text(HeaderExtension.BACKING_FORMAT, backingFormat.get()));
    }
    if (choices.dataFile.isPresent()) {
      wanted.add(HeaderExtension.text(HeaderExtension.DATA_FILE, choices.dataFile.get()));
    }
    int left = room - HeaderExtension.PREFIX;
    for (HeaderExtension extension : wanted) {
      left -= extension.size();
    }
    if (left < 0) {
      throw new IllegalArgumentException(
          "the names of other files do not fit into a cluster of " + (1 << choices.clusterBits));
    }
    HeaderExtension names = HeaderExtension.featureNames();
    if (choices.version == 3 && names.size() <= left) {
      wanted.add(names);
    }
    return wanted;
  }
}

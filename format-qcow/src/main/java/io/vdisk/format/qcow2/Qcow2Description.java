package io.vdisk.format.qcow2;

import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What an image says of itself, by the words of {@code qemu-img info}. */
final class Qcow2Description implements Function<Qcow2Header, ImageInfo> {
  private final HostFile file;
  private final Encryption encryption;

  Qcow2Description(HostFile file, Encryption encryption) {
    this.file = file;
    this.encryption = encryption;
  }

  @Override
  public ImageInfo apply(Qcow2Header header) {
    ImageInfo.Builder info =
        ImageInfo.builder(Qcow2Format.NAME, header.virtualSize, header.clusterSize())
            .backing(Qcow2Format.reference(header, file));
    info.detail("compat", header.version == 2 ? "0.10" : "1.1");
    header.dataFileName().ifPresent(name -> info.detail("data-file", name));
    if (header.hasDataFile()) {
      info.detail("data-file-raw", header.isDataFileRaw());
    }
    info.detail("compression-type", ClusterCodec.NAMES.get(header.compressionType));
    if (header.version >= 3) {
      info.detail("lazy-refcounts", header.has(Feature.LAZY_REFCOUNTS));
    }
    List<Object> bitmaps = bitmaps(header);
    if (!bitmaps.isEmpty()) {
      info.detail("bitmaps", bitmaps);
    }
    info.detail("refcount-bits", header.refcountBits());
    if (header.version >= 3) {
      info.detail("corrupt", header.has(Feature.CORRUPT));
      info.detail("extended-l2", header.isExtended());
      info.detail("dirty-flag", header.has(Feature.DIRTY));
    }
    if (header.isEncrypted()) {
      info.detail("encrypted", true);
      info.detail("encrypt", encryption.describe());
    }
    return info.build();
  }

  /** Empty also where the directory cannot be read: a check tells why. */
  private List<Object> bitmaps(Qcow2Header header) {
    List<Object> list = new ArrayList<>();
    try {
      for (BitmapEntry entry : BitmapDirectory.read(file, header).entries()) {
        List<String> flags = new ArrayList<>();
        if (entry.has(BitmapEntry.IN_USE)) {
          flags.add("in-use");
        }
        if (entry.has(BitmapEntry.AUTO)) {
          flags.add("auto");
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("flags", flags);
        fields.put("name", entry.name().toString());
        fields.put("granularity", 1L << entry.granularityBits());
        list.add(fields);
      }
    } catch (IOException e) {
      return List.of();
    }
    return list;
  }
}

package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Measurement;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/** How large the files of a new image would become in all, without a descriptor of its own. */
final class VmdkMeasure {
  private VmdkMeasure() {}

  static Measurement of(Optional<BlockDevice> source, CreateOptions options) throws IOException {
    VmdkOptions said = new VmdkOptions(options);
    long size =
        said.size(
            options
                .virtualSize()
                .orElseThrow(() -> new IllegalArgumentException("a VMDK needs a size")),
            null);
    if (said.subformat.extents().isFlat()) {
      return new Measurement(size, size, OptionalLong.empty());
    }
    long metadata = 0;
    long most = said.subformat.isSplit() ? VmdkCreator.MAX_EXTENT : size;
    for (long done = 0; done < size; done += most) {
      metadata += metadata(said, Math.min(most, size - done));
    }
    long all = (size + said.grainSize - 1) / said.grainSize;
    long used = source.isPresent() ? grainsWithData(source.get(), said.grainSize) : 0;
    return new Measurement(
        metadata + used * said.grainSize, metadata + all * said.grainSize, OptionalLong.empty());
  }

  private static long metadata(VmdkOptions said, long bytes) {
    if (said.subformat == Subformat.VMFS_SPARSE) {
      long span = said.grainSize * CowdHeader.TABLE_ENTRIES;
      long tables = (bytes + span - 1) / span;
      long table = (long) CowdHeader.TABLE_ENTRIES * Integer.BYTES;
      return CowdHeader.STRUCT.size() + tables * (Integer.BYTES + table);
    }
    int descriptor = said.subformat.isEmbedded() ? SparseCreator.DESCRIPTOR_SECTORS : 0;
    return new SparseCreator(bytes, said.grainSize, said.hasZeroedGrains, descriptor).bytes();
  }

  private static long grainsWithData(BlockDevice source, long grainSize) throws IOException {
    long grains = 0;
    long counted = -1;
    for (long at = 0; at < source.size(); ) {
      Extent extent = source.extentAt(at, source.size() - at);
      if (!extent.readsAsZero()) {
        long first = Math.max(counted + 1, at / grainSize);
        long last = (at + extent.length() - 1) / grainSize;
        grains += Math.max(0, last - first + 1);
        counted = Math.max(counted, last);
      }
      at += extent.length();
    }
    return grains;
  }
}

package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Measurement;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/** How large the file of a new image would become. */
final class VhdMeasure {
  private static final int DATA_ALIGNMENT = 4096;

  private VhdMeasure() {}

  static Measurement of(Optional<BlockDevice> source, CreateOptions options) throws IOException {
    VhdOptions said = new VhdOptions(options);
    long size =
        said.size(
            options
                .virtualSize()
                .orElseThrow(() -> new IllegalArgumentException("a VHD needs a size")),
            null);
    if (said.type == DiskType.FIXED) {
      long bytes = size + HardDiskFooter.BYTES;
      return new Measurement(bytes, bytes, OptionalLong.empty());
    }
    long metadata =
        HardDiskFooter.BYTES
            + DynamicDiskHeader.BYTES
            + Structures.roundUp(said.entries(size) * Integer.BYTES, Structures.SECTOR);
    if (said.isXen) {
      metadata += BatmapHeader.BYTES + BatmapHeader.create(0, said.entries(size)).mapBytes();
    }
    if (options.backingName().isPresent()) {
      metadata += ParentRecord.ofRaw(options.backingName().get()).bytes();
    }
    long all = (size + said.blockSize - 1) / said.blockSize;
    long used = source.isPresent() ? blocksWithData(source.get(), said.blockSize) : 0;
    return new Measurement(
        bytes(metadata, used, said.blockSize),
        bytes(metadata, all, said.blockSize),
        OptionalLong.empty());
  }

  private static long bytes(long metadata, long blocks, long blockSize) {
    long bitmap = Structures.bitmapBytes(Long.numberOfTrailingZeros(blockSize));
    long end = metadata;
    if (blocks > 0) {
      long first = Structures.roundUp(metadata + bitmap, DATA_ALIGNMENT);
      long stride = Structures.roundUp(blockSize + bitmap, DATA_ALIGNMENT);
      end = first + (blocks - 1) * stride + blockSize;
    }
    return end + HardDiskFooter.BYTES;
  }

  private static long blocksWithData(BlockDevice source, long blockSize) throws IOException {
    long blocks = 0;
    long counted = -1;
    for (long at = 0; at < source.size(); ) {
      Extent extent = source.extentAt(at, source.size() - at);
      if (!extent.readsAsZero()) {
        long first = Math.max(counted + 1, at / blockSize);
        long last = (at + extent.length() - 1) / blockSize;
        blocks += Math.max(0, last - first + 1);
        counted = Math.max(counted, last);
      }
      at += extent.length();
    }
    return blocks;
  }
}

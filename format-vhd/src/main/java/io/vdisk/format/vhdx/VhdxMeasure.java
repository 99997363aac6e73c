package io.vdisk.format.vhdx;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Measurement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.OptionalLong;

/** How large a file becomes: its tables, and every block of which the source holds something. */
final class VhdxMeasure {
  private VhdxMeasure() {}

  static Measurement of(Optional<BlockDevice> source, CreateOptions options) throws IOException {
    long size =
        options
            .virtualSize()
            .orElseThrow(() -> new IllegalArgumentException("a vhdx image needs a size"));
    boolean isChild = options.backingName().isPresent();
    VhdxOptions own = new VhdxOptions(options.options(), isChild);
    long blockSize = own.blockSize(size);
    boolean isFixed = own.isFixed();
    boolean unusedZero = own.isStateZero();
    long unusedLog = own.logSize();
    String unusedMode = own.preallocation(isFixed);
    int unusedSector =
        own.sectorSize(VhdxOption.LOGICAL_SECTOR_SIZE, 512)
            + own.sectorSize(VhdxOption.PHYSICAL_SECTOR_SIZE, 4096);
    own.end();
    long all = (size + blockSize - 1) / blockSize;
    long blocks =
        isFixed ? all : source.isEmpty() ? 0 : isChild ? all : held(source.get(), blockSize);
    return new Measurement(
        VhdxCreator.fileBytes(options.options(), isChild, size, blocks),
        VhdxCreator.fileBytes(options.options(), isChild, size, all),
        OptionalLong.empty());
  }

  /** Blocks of which the source holds something. */
  private static long held(BlockDevice source, long blockSize) throws IOException {
    long blocks = 0;
    long counted = 0;
    try {
      for (Extent extent : source.extents(0, source.size())) {
        if (!extent.readsAsZero()) {
          long from = Math.max(counted, extent.offset() / blockSize);
          counted = (extent.offset() + extent.length() + blockSize - 1) / blockSize;
          blocks += Math.max(0, counted - from);
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return blocks;
  }
}

package io.vdisk.format.vhdx;

import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.concurrent.CancellationException;

/**
 * Follows every entry of the block allocation table. An error is an entry that names what is not in
 * the file, or what something else has, or a state that its kind of disk cannot have. Space that
 * nothing names is no finding: nothing counts it, and the next change finds it.
 *
 * <p>Takes a bit of memory for each mebibyte of the file. One thread, alone.
 */
final class VhdxChecker {
  private final VhdxImage image;
  private final HostFile file;
  private final VhdxStructure structure;
  private final BatGeometry geometry;
  private final BlockSpace space;
  private final long fileSize;
  private final CheckReport.Builder report = CheckReport.builder();
  private long allocated;
  private long fragmented;
  private long previousEnd = -1;
  private long end;

  /** The chunk of which the next bitmap entry is, and whether it has a block that needs it. */
  private long partialChunk = -1;

  private long visits;

  VhdxChecker(VhdxImage image) throws IOException {
    this.image = image;
    this.file = image.file();
    this.structure = image.structure();
    this.geometry = BatGeometry.of(structure.disk());
    this.space = new BlockSpace(file, structure.ranges());
    this.fileSize = file.size();
    this.end = structure.ranges().end();
  }

  CheckReport check(Progress progress) throws IOException {
    image.headers().brokenLog().ifPresent(why -> report.add(Severity.ERROR, why));
    for (String oddity : image.headers().oddities()) {
      warn(oddity);
    }
    for (String oddity : structure.oddities()) {
      warn(oddity);
    }
    if (end > fileSize) {
      error("log or regions end at " + end + ", past the end of the file");
    }
    BatScan.scan(
        file,
        structure,
        (number, entry) -> {
          if (geometry.isBitmapEntry(number)) {
            checkBitmap(number, entry);
          } else {
            checkPayload(number, entry);
          }
          return ++visits % 4096 != 0 || report(progress, number);
        });
    checkPartial(geometry.chunks(), false);
    if (!report(progress, geometry.entries(structure.disk().parent().isPresent()))) {
      throw new CancellationException("check of " + file.name());
    }
    return report.units(geometry.blocks(), allocated, 0, fragmented).endOffset(end).build();
  }

  private boolean report(Progress progress, long number) {
    long total = Math.max(1, geometry.entries(structure.disk().parent().isPresent()));
    if (!progress.report(Math.min(number, total) * Long.BYTES, total * Long.BYTES)) {
      throw new CancellationException("check of " + file.name());
    }
    return true;
  }

  private void checkPayload(long number, BatEntry entry) {
    long block = geometry.blockOf(number);
    String what = "payload block " + block;
    if (entry.hasOddBits()) {
      warn(what + " has bits that are reserved: " + entry);
    }
    if (entry.isReserved()) {
      error(what + " has " + entry);
    } else if (entry.isPresent()) {
      allocated++;
      if (previousEnd >= 0 && entry.offset() != previousEnd) {
        fragmented++;
      }
      previousEnd = entry.offset() + geometry.blockSize();
      take(entry, geometry.blockSize(), what);
    } else if (entry.mayHavePlace() && entry.offset() != 0) {
      take(entry, geometry.blockSize(), what);
    }
    if (entry.isPartial()) {
      if (structure.disk().parent().isEmpty()) {
        error(what + " is partially present, and there is no parent");
      } else {
        checkPartial(geometry.chunkOf(block), false);
        partialChunk = geometry.chunkOf(block);
      }
    }
  }

  private void checkBitmap(long number, BatEntry entry) {
    long chunk = number / ((1L << geometry.ratioBits()) + 1);
    String what = "sector bitmap block " + chunk;
    if (entry.hasOddBits()) {
      warn(what + " has bits that are reserved: " + entry);
    }
    if (entry.state() == BatEntry.FULLY_PRESENT) {
      take(entry, BatGeometry.BITMAP_BLOCK, what);
      if (structure.disk().parent().isEmpty()) {
        error(what + " is there, and there is no parent");
      }
      checkPartial(chunk, true);
    } else if (entry.state() != BatEntry.NOT_PRESENT) {
      error(what + " has " + entry);
    }
  }

  /** The chunk before has partially present blocks: then it must have had a bitmap. */
  private void checkPartial(long chunk, boolean hasBitmap) {
    if (partialChunk >= 0 && (partialChunk < chunk || hasBitmap)) {
      if (partialChunk < chunk) {
        error("chunk " + partialChunk + " has a partially present block and no sector bitmap");
      }
      partialChunk = -1;
    }
  }

  private void take(BatEntry entry, long bytes, String what) {
    long offset = entry.offset();
    if (offset < FileRanges.HEADER_SECTION || offset > fileSize - bytes) {
      error(what + " is at " + Long.toUnsignedString(offset) + ", outside the file");
      return;
    }
    end = Math.max(end, offset + bytes);
    if (!space.use(offset, bytes)) {
      error(what + " is at " + offset + ", which something else has");
    }
  }

  private void error(String message) {
    report.add(Severity.ERROR, file.name() + ": " + message);
  }

  private void warn(String message) {
    report.add(Severity.WARNING, file.name() + ": " + message);
  }
}

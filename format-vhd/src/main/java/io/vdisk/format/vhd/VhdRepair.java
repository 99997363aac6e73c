package io.vdisk.format.vhd;

import io.vdisk.Limits;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Mends what an image can tell of itself: checksums, a footer from its copy and the reverse, the
 * batmap. What the block allocation table has lost stays lost. It can be ended at any instant and
 * run again. One thread, alone on the image.
 */
final class VhdRepair {
  private static final Footers.Reading LENIENT = Footers.Reading.TO_REPAIR;

  private final HostFile file;
  private final Limits limits;
  private final Repairing.Scope scope;
  private final Progress progress;

  VhdRepair(HostFile file, Limits limits, Repairing.Scope scope, Progress progress) {
    this.file = file;
    this.limits = limits;
    this.scope = scope;
    this.progress = progress;
  }

  CheckReport repair() throws IOException {
    CheckReport found = new VhdChecker(file, progress).check(LENIENT, limits, Optional.empty());
    if (scope != Repairing.Scope.ALL) {
      return found; // nothing leaks here
    }
    Footers footers = Footers.read(file, LENIENT);
    if (footers.used().isPoisoned() && footers.copy().orElse(footers.used()).isPoisoned()) {
      return found; // only the journal of Xen's tools tells what is where
    }
    HardDiskFooter footer = footers.used().enabled();
    if (footer.is(DiskType.FIXED)) {
      file.write(footer.bytes(), footers.endOffset());
      file.flush();
      if (file.size() < file.capacity()) {
        file.resize(footers.endOffset() + HardDiskFooter.BYTES);
      }
    } else {
      mend(footers, footer);
    }
    CheckReport left = new VhdChecker(file, Progress.NONE).check(LENIENT, limits, Optional.empty());
    CheckReport.Builder report = CheckReport.builder();
    found.findings().forEach(finding -> report.add(finding.severity(), finding.message()));
    return report
        .units(left.totalUnits(), left.allocatedUnits(), 0, left.fragmentedUnits())
        .endOffset(left.endOffset())
        .fixed(Math.max(0, found.errors() - left.errors()), 0)
        .build();
  }

  private void mend(Footers footers, HardDiskFooter footer) throws IOException {
    boolean hasErrors = hasBlockErrors(footers);
    Structures structures = Structures.read(file, footers, LENIENT, limits);
    DynamicDiskHeader header = structures.header();
    if (!header.hasRightChecksum()) {
      file.write(header.sealed().bytes(), footer.dataOffset());
      file.flush();
    }
    mendBatmap(structures);
    boolean isWhole =
        footers.end().isPresent()
            && footers.end().get().equals(footer)
            && footers.copy().isPresent()
            && footers.copy().get().equals(footer);
    if (isWhole) {
      return;
    }
    long end = hasErrors || file.size() >= file.capacity() ? footers.endOffset() : end(structures);
    new FooterUpdate(footers, file).writeAt(footer, end);
    if (file.size() < file.capacity() && end < footers.endOffset()) {
      file.resize(end + HardDiskFooter.BYTES);
      file.flush();
    }
  }

  /** What a power cut left behind the last block would be the guest's for QEMU. */
  private static long end(Structures structures) throws IOException {
    return Structures.roundUp(
        UsedSpace.read(structures, structures.footers().endOffset()).end(), Structures.SECTOR);
  }

  /** Whether an entry is wrong: then nobody knows where the blocks end. */
  private boolean hasBlockErrors(Footers footers) throws IOException {
    VhdChecker checker = new VhdChecker(file, Progress.NONE);
    new BlockCheck(Structures.read(file, footers, LENIENT, limits), checker).check();
    return checker.report().build().errors() > 0;
  }

  /** A batmap that cannot be relied on says of no block that it is full. */
  private void mendBatmap(Structures structures) throws IOException {
    if (structures.batmap().isEmpty()) {
      return;
    }
    BatmapHeader header = structures.batmap().get();
    ByteBuffer bits = Batmap.readBits(file, header);
    boolean right = header.hasRightChecksum(bits, structures.virtualSize());
    if (right && !contradicts(structures, bits)) {
      return;
    }
    ByteBuffer empty = ByteBuffer.allocate(bits.capacity());
    file.write(empty.duplicate(), header.mapOffset());
    file.write(header.withChecksum(empty, structures.virtualSize()).bytes(), header.headerOffset());
    file.flush();
  }

  /** Whether it shows a block full that is not. */
  private boolean contradicts(Structures structures, ByteBuffer bits) throws IOException {
    ByteBuffer entry = ByteBuffer.allocate(Integer.BYTES);
    ByteBuffer bitmap = ByteBuffer.allocate((int) structures.bitmapBytes());
    for (long block = 0; block < structures.blocks(); block++) {
      if (!Batmap.isSet(bits, block)) {
        continue;
      }
      file.readFully(entry.clear(), structures.header().tableOffset() + block * Integer.BYTES);
      long place = Integer.toUnsignedLong(entry.getInt(0));
      if (place == Structures.UNUSED) {
        return true;
      }
      if (file.read(bitmap.clear(), place * Structures.SECTOR) < bitmap.capacity()) {
        return true;
      }
      long sectors = structures.blockSize() / Structures.SECTOR;
      for (int sector = 0; sector < sectors; sector++) {
        if (((bitmap.get(sector >>> 3) << (sector & 7)) & 0x80) == 0) {
          return true;
        }
      }
    }
    return false;
  }
}

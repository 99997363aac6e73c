package io.vdisk.format.vhdx;

import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Mends what can be mended without guessing: a header or region table whose copy is sound, bits
 * that are reserved; and gives the space at the end of the file back that nothing names. The log
 * was replayed when the image was opened. An entry that names what is not there stays as it is,
 * with its error: what it lost is lost.
 */
final class VhdxRepair {
  private final VhdxImage image;
  private final HostFile file;
  private long mended;

  VhdxRepair(VhdxImage image) {
    this.image = image;
    this.file = image.file();
  }

  CheckReport repair(Repairing.Scope scope, Progress progress) throws IOException {
    CheckReport found = new VhdxChecker(image).check(progress);
    boolean isLogBroken = image.headers().brokenLog().isPresent();
    if (found.errors() > (isLogBroken ? 1 : 0) || (isLogBroken && scope == Repairing.Scope.LEAKS)) {
      return found; // which of two blocks has the space nobody can say
    }
    if (isLogBroken) {
      image.headers().discardLog();
      found = withLogDiscarded(found);
    }
    if (scope == Repairing.Scope.ALL) {
      mendHeaders();
      mendRegionTables();
      mendEntries();
    }
    if (mended > 0 || image.hasUnusedEnd()) {
      image.beforeChange();
      image.giveBackEnd();
    }
    return found;
  }

  private static CheckReport withLogDiscarded(CheckReport found) {
    CheckReport.Builder report = CheckReport.builder();
    found.findings().forEach(finding -> report.add(finding.severity(), finding.message()));
    return report
        .units(
            found.totalUnits(),
            found.allocatedUnits(),
            found.compressedUnits(),
            found.fragmentedUnits())
        .endOffset(found.endOffset())
        .fixed(1, 0)
        .build();
  }

  /** Marking the image as changed writes both. */
  private void mendHeaders() throws IOException {
    if (!image.headers().oddities().isEmpty()) {
      image.beforeChange();
      mended++;
    }
  }

  private void mendRegionTables() throws IOException {
    List<String> oddities = image.structure().oddities();
    if (oddities.isEmpty()) {
      return;
    }
    RegionTable table = image.structure().regions();
    new MetadataUpdate(image)
        .put(RegionTable.FIRST, table.encode())
        .put(RegionTable.SECOND, table.encode())
        .write();
    mended++;
  }

  /** A block without space names no place: Windows refuses a zero block that does. */
  private void mendEntries() throws IOException {
    MetadataUpdate update = new MetadataUpdate(image);
    long table = image.structure().bat().offset();
    ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    BatScan.scan(
        file,
        image.structure(),
        (number, entry) -> {
          if (entry.hasOddBits()) {
            BatEntry sound =
                entry.mayHavePlace()
                    ? BatEntry.at(entry.offset(), entry.state())
                    : BatEntry.of(entry.state());
            update.put(table + number * Long.BYTES, word.putLong(0, sound.raw()));
            update.writeIfLarge();
            mended++;
          }
          return true;
        });
    update.write();
  }
}

package io.vdisk.format.qcow2;

import io.vdisk.ImageException;
import io.vdisk.Limits;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a check counts.
 *
 * @param exit the exit code: 0 clean, 1 not all could be checked, 2 errors, 3 leaks alone
 */
record CheckCounts(
    int exit,
    long errors,
    long leaks,
    long allocated,
    long compressed,
    long fragmented,
    long endOffset) {
  private static final CheckCounts REFUSED = new CheckCounts(1, 0, 0, 0, 0, 0, 0);

  /** Counts of {@code qemu-img check}. Where it says nothing, it has given up. */
  static CheckCounts ofQemu(Path image) throws IOException {
    Qemu.Result result = Qemu.run("qemu-img", "check", "-f", "qcow2", "--output=json", image);
    if (result.exit() == 1 && !result.output().contains("\"check-errors\"")) {
      return REFUSED;
    }
    String json = result.output();
    return new CheckCounts(
        result.exit(),
        number(json, "corruptions"),
        number(json, "leaks"),
        number(json, "allocated-clusters"),
        number(json, "compressed-clusters"),
        number(json, "fragmented-clusters"),
        number(json, "image-end-offset"));
  }

  private static long number(String json, String key) {
    Matcher matcher = Pattern.compile("\"" + key + "\": (\\d+)").matcher(json);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
  }

  static CheckCounts ofOurs(Path image) throws IOException {
    try (HostFile file = HostFile.of(image)) {
      Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT, Qcow2Header.Reading.TO_CHECK);
      if (hasExtraData(file, header) || hasNegativeOffset(file, header)) {
        return REFUSED;
      }
      Qcow2Checker checker = new Qcow2Checker(file, header, Progress.NONE);
      CheckReport report = checker.check();
      return report.endOffset() == 0 ? REFUSED : of(report);
    } catch (ImageException e) {
      return REFUSED;
    }
  }

  /** Bitmaps that have it are as good as others, and no QEMU of today opens an image with them. */
  private static boolean hasExtraData(HostFile file, Qcow2Header header) throws IOException {
    return BitmapDirectory.read(file, header).entries().stream()
        .anyMatch(
            entry -> entry.extra().size() > 0 || entry.has(BitmapEntry.EXTRA_DATA_COMPATIBLE));
  }

  /** QEMU runs out of memory there, having lost the sign. */
  private static boolean hasNegativeOffset(HostFile file, Qcow2Header header) throws IOException {
    return header.snapshotsOffset >= 0
        && SnapshotTable.salvage(file, header.snapshotsOffset, header.snapshots, 0)
            .entries()
            .stream()
            .anyMatch(entry -> entry.l1Offset() < 0);
  }

  private static CheckCounts of(CheckReport report) {
    int exit = report.unchecked() > 0 ? 1 : report.errors() > 0 ? 2 : report.leaks() > 0 ? 3 : 0;
    return new CheckCounts(
        exit,
        report.errors(),
        report.leaks(),
        report.allocatedUnits(),
        report.compressedUnits(),
        report.fragmentedUnits(),
        report.endOffset());
  }
}

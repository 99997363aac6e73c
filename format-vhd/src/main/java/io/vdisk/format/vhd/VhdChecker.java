package io.vdisk.format.vhd;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;

/**
 * Looks at everything that an image says of itself, as {@code vhd-util check} does. An error is
 * what makes a reader see other data than was written; a footer that was lost while its copy is
 * there, and what only Xen's tools look at, is a warning. Space between blocks is no finding: it is
 * free, and used again.
 *
 * <p>Takes eight bytes for each block that has a place. One thread, alone; used once.
 */
final class VhdChecker {
  private final HostFile file;
  private final Progress progress;
  private final CheckReport.Builder report = CheckReport.builder();

  VhdChecker(HostFile file, Progress progress) {
    this.file = file;
    this.progress = progress;
  }

  /**
   * Reads the image anew and looks at it.
   *
   * @param parentTime when the parent was changed last, seconds since 2000, if that is known
   */
  CheckReport check(Footers.Reading reading, Limits limits, Optional<Long> parentTime)
      throws IOException {
    Footers footers = Footers.read(file, reading);
    if (footers.used().is(DiskType.FIXED)) {
      checkFixed(footers);
    } else {
      checkSparse(Structures.read(file, footers, reading, limits), parentTime);
    }
    return report.build();
  }

  private void checkFixed(Footers footers) throws IOException {
    HardDiskFooter footer = footers.used();
    checkFooter("the footer", footer);
    if (footers.endOffset() + HardDiskFooter.BYTES < file.size()) {
      error("the footer is not at the end of the file but at " + footers.endOffset());
    }
    if (footer.virtualSize() != footer.currentSize()) {
      warn(
          "the geometry ends the disk at "
              + footer.virtualSize()
              + ", the current size is "
              + footer.currentSize());
    }
    report.endOffset(file.size()).units(1, 1, 0, 0);
  }

  private void checkSparse(Structures structures, Optional<Long> parentTime) throws IOException {
    checkFooters(structures.footers());
    checkHeader(structures);
    if (structures.isDifferencing()) {
      checkLocators(structures);
      parentTime.ifPresent(time -> checkParentTime(structures, time));
    }
    new BlockCheck(structures, this).check();
  }

  private void checkFooters(Footers footers) {
    if (footers.end().isEmpty()) {
      warn("there is no footer at the end; its copy at the beginning is used");
    }
    if (footers.copy().isEmpty()) {
      warn("there is no copy of the footer at the beginning");
    }
    if (footers.end().isPresent()
        && footers.copy().isPresent()
        && !footers.end().get().sealed().equals(footers.copy().get().sealed())) {
      warn("the footer and its copy at the beginning do not match");
    }
    checkFooter("the footer", footers.used());
  }

  private void checkFooter(String what, HardDiskFooter footer) {
    if (!footer.hasRightChecksum()) {
      error(
          String.format(
              Locale.ROOT,
              "the checksum of %s is 0x%08x, and should be 0x%08x",
              what,
              footer.checksum(),
              footer.rightChecksum()));
    } else if (footer.checksum() != footer.rightChecksum()) {
      warn("the checksum of " + what + " is that from before the image was hidden");
    }
    if (footer.isPoisoned()) {
      warn(what + " is marked by Xen's tools, which were ended while they changed metadata");
    }
    if ((footer.features() & 2) == 0) {
      warn("a bit of the features of " + what + " is clear that is always set");
    }
  }

  private void checkHeader(Structures structures) {
    DynamicDiskHeader header = structures.header();
    if (!header.hasRightChecksum()) {
      error(
          String.format(
              Locale.ROOT,
              "the checksum of the dynamic disk header is 0x%08x, and should be 0x%08x",
              header.checksum(),
              header.rightChecksum()));
    }
    if (structures.virtualSize() > structures.footer().currentSize()) {
      warn("the geometry reaches beyond the current size");
    }
  }

  private void checkLocators(Structures structures) throws IOException {
    Set<Long> codes = new HashSet<>();
    String recorded = structures.header().parentName().replace('\\', '/');
    String name = recorded.substring(recorded.lastIndexOf('/') + 1);
    int number = -1;
    int readable = 0;
    for (ParentLocator locator : structures.header().locators()) {
      number++;
      if (!locator.isUsed()) {
        continue;
      }
      String what = "parent locator " + number + " (" + locator.letters() + ")";
      if (!locator.isKnown()) {
        warn(what + " is of no platform that is known");
      }
      if (!codes.add(locator.code())) {
        warn(what + " repeats the platform of another");
      }
      Optional<String> found;
      try {
        found = locator.readName(file);
      } catch (CorruptImageException e) {
        error(what + " is not in the file");
        continue;
      }
      if (found.isPresent()) {
        readable++;
        String end = found.get().substring(found.get().lastIndexOf('/') + 1);
        if (!name.isEmpty() && !name.equals(end)) {
          warn(what + " names " + end + ", the header names " + name);
        }
      }
    }
    if (readable == 0 && name.isEmpty()) {
      error("nothing names the parent");
    }
  }

  private void checkParentTime(Structures structures, long time) {
    long recorded = structures.header().parentTimeStamp();
    if (recorded != 0 && time != recorded) {
      warn(
          "the parent was changed "
              + (time - recorded)
              + " seconds from when this disk was made; if its data changed, this disk's did");
    }
  }

  void error(String sentence) {
    report.add(Severity.ERROR, file.name() + ": " + sentence);
  }

  void warn(String sentence) {
    report.add(Severity.WARNING, file.name() + ": " + sentence);
  }

  CheckReport.Builder report() {
    return report;
  }

  void report(long done, long total) {
    if (!progress.report(done, total)) {
      throw new CancellationException("check of " + file.name());
    }
  }
}

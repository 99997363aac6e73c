package io.vdisk.format.vhdx;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Repairing;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** VHDX under the contracts of crashes, faults and races; differencing where it has a backing. */
class VhdxSubject implements Subject {
  static final List<ImageFormat> FORMATS = List.of(new VhdxFormat());

  private final String subformat;
  private final String sectorSize;
  private final boolean stateZero;

  VhdxSubject(String subformat, String sectorSize, boolean stateZero) {
    this.subformat = subformat;
    this.sectorSize = sectorSize;
    this.stateZero = stateZero;
  }

  @Override
  public int files() {
    return 1;
  }

  /** A few blocks and a bit. */
  @Override
  public long size() {
    return (3 << 20) + 4096 * 3;
  }

  @Override
  public boolean canHaveBacking() {
    return subformat.equals("dynamic");
  }

  @Override
  public void create(List<HostFile> files, long size, Optional<BlockDevice> backing)
      throws IOException {
    CreateOptions options =
        CreateOptions.of("vhdx", size)
            .withFormats(FORMATS)
            .withOption("block_size", "1048576")
            .withOption("logical_sector_size", sectorSize);
    if (backing.isPresent()) {
      options = options.withBacking("parent.vhdx", "vhdx").withoutOpeningBacking();
    } else {
      options =
          options
              .withOption("subformat", subformat)
              .withOption("block_state_zero", stateZero ? "on" : "off");
    }
    CreateSession.create(files.get(0), options);
  }

  @Override
  public BlockDevice open(List<HostFile> files, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    options = options.withFormats(FORMATS);
    if (backing.isPresent()) {
      options = options.withBacking(backing.get());
    }
    return Images.open(files.get(0), options);
  }

  @Override
  public boolean alters() {
    return true;
  }

  /** Gives back the end of the file that nothing names. */
  @Override
  public void alter(BlockDevice device, int stamp) throws IOException {
    Repairing.Scope scope = stamp % 2 == 0 ? Repairing.Scope.ALL : Repairing.Scope.LEAKS;
    CheckReport report =
        device.feature(Repairing.class).orElseThrow().repair(scope, (done, total) -> true);
    if (report.errors() > 0) {
      throw new AssertionError(report.findings().toString());
    }
  }

  @Override
  public List<String> check(List<HostFile> files) throws IOException {
    OpenOptions options = OpenOptions.readOnly().withFormats(FORMATS).withoutBacking();
    List<String> errors = new ArrayList<>();
    try (BlockDevice device = Images.open(files.get(0), options)) {
      for (CheckReport.Finding finding :
          device.feature(Checking.class).orElseThrow().check((done, total) -> true).findings()) {
        if (finding.severity() == CheckReport.Severity.ERROR) {
          errors.add(finding.message());
        }
      }
    }
    return errors;
  }
}

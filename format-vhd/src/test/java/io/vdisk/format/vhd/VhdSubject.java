package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.feature.Amending;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** VHD under the contracts of crashes, faults and races; images are the same whenever made. */
final class VhdSubject implements Subject {
  private static final String ID = "6f9b2f6e-61c5-4f0c-8e52-3a1b7c0d9e41";

  private final Map<String, String> options;
  private final boolean canHaveBacking;
  private final boolean alters;

  private VhdSubject(Map<String, String> options, boolean canHaveBacking, boolean alters) {
    this.options = options;
    this.canHaveBacking = canHaveBacking;
    this.alters = alters;
  }

  /** The same, changed as a whole now and then: hidden, or given another parent's name. */
  VhdSubject altering() {
    return new VhdSubject(options, canHaveBacking, true);
  }

  @Override
  public boolean alters() {
    return alters;
  }

  @Override
  public void alter(BlockDevice device, int stamp) throws IOException {
    Optional<BackingLink> link = device.feature(BackingLink.class);
    if (stamp % 2 == 0 && link.isPresent() && device.info().backing().isPresent()) {
      String name = "p".repeat(1 + stamp * 37 % 300);
      link.get().change(Optional.of(name), Optional.of("raw"));
    } else {
      device
          .feature(Amending.class)
          .orElseThrow()
          .amend(Map.of("hidden", Integer.toString(stamp % 256)), Progress.NONE);
    }
  }

  /** Dynamic disks, and differencing ones where there is a backing device. */
  static VhdSubject sparse(int blockSize, boolean xen, boolean encrypted) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("block_size", Integer.toString(blockSize));
    if (xen) {
      options.put("xen", "on");
    }
    if (encrypted) {
      options.put("encrypt.format", "aes-xts-plain");
    }
    return new VhdSubject(options, true, false);
  }

  static VhdSubject fixed() {
    return new VhdSubject(Map.of("subformat", "fixed"), false, false);
  }

  @Override
  public int files() {
    return 1;
  }

  @Override
  public long size() {
    return (4 << 20) + 512 * 3;
  }

  @Override
  public boolean canHaveBacking() {
    return canHaveBacking;
  }

  @Override
  public void create(List<HostFile> files, long size, Optional<BlockDevice> backing)
      throws IOException {
    CreateOptions creation =
        CreateOptions.of("vhd", size)
            .withFormats(List.of(new VhdFormat()))
            .withOption("unique_id", ID)
            .withOption("time_stamp", "2026-01-01T00:00:00Z")
            .withSecrets(Samples.KEY);
    for (Map.Entry<String, String> option : options.entrySet()) {
      creation = creation.withOption(option.getKey(), option.getValue());
    }
    if (backing.isPresent()) {
      creation = creation.withBacking("backing", "raw");
    }
    CreateSession.create(files.get(0), creation);
  }

  @Override
  public BlockDevice open(List<HostFile> files, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    OpenOptions opening =
        (writable ? OpenOptions.readWrite() : OpenOptions.readOnly())
            .withFormat("vhd")
            .withFormats(List.of(new VhdFormat()))
            .withMetadataCache(65_536)
            .withSecrets(Samples.KEY);
    return Images.open(
        files.get(0), backing.isPresent() ? opening.withBacking(backing.get()) : opening);
  }

  @Override
  public List<String> check(List<HostFile> files) throws IOException {
    OpenOptions alone =
        OpenOptions.readOnly()
            .withFormat("vhd")
            .withFormats(List.of(new VhdFormat()))
            .withoutBacking();
    List<String> errors = new ArrayList<>();
    try (BlockDevice device = Images.open(files.get(0), alone)) {
      CheckReport report = device.feature(Checking.class).orElseThrow().check(Progress.NONE);
      for (CheckReport.Finding finding : report.findings()) {
        if (finding.severity() == CheckReport.Severity.ERROR) {
          errors.add(finding.message());
        }
      }
    }
    return errors;
  }
}

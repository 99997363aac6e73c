package io.vdisk.format.qcow;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** qcow version 1 under the contracts of crashes, faults and races. */
final class QcowSubject implements Subject {
  private final String clusterSize;
  private final String xen;
  private final boolean encrypted;

  QcowSubject(String clusterSize, String xen) {
    this(clusterSize, xen, false);
  }

  QcowSubject(String clusterSize, String xen, boolean encrypted) {
    this.clusterSize = clusterSize;
    this.xen = xen;
    this.encrypted = encrypted;
  }

  @Override
  public int files() {
    return 1;
  }

  /**
   * Two tables of clusters and a bit; no whole cluster, but whole sectors, as QEMU sees no less.
   */
  @Override
  public long size() {
    return (4 << 20) + 512 * 3;
  }

  @Override
  public void create(List<HostFile> files, long size, Optional<BlockDevice> backing)
      throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow", size)
            .withFormats(List.of(new QcowFormat()))
            .withOption("cluster_size", clusterSize)
            .withOption("xen", xen)
            .withSecrets(Samples.SECRETS);
    if (encrypted) {
      options = options.withOption("encrypt.format", "aes");
    }
    if (backing.isPresent()) {
      options = options.withBacking("backing", null);
    }
    // Not opened here: what the image names is given at open, and no policy would allow it.
    CreateSession.create(files.get(0), options);
  }

  @Override
  public BlockDevice open(List<HostFile> files, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    options = options.withFormats(List.of(new QcowFormat())).withSecrets(Samples.SECRETS);
    if (backing.isPresent()) {
      options = options.withBacking(backing.get());
    }
    return Images.open(files.get(0), options);
  }

  @Override
  public List<String> check(List<HostFile> files) throws IOException {
    OpenOptions options =
        OpenOptions.readOnly().withFormats(List.of(new QcowFormat())).withoutBacking();
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

package io.vdisk.testkit.toy;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.feature.Checking;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * A toy for the contracts. The first file is the image, the second its data file; the backing file
 * has a name that nobody opens.
 *
 * @param metadataCache bytes for tables: little, so that slices come and go
 */
record ToySubject(ToyFormat format, int files, long size, long metadataCache) implements Subject {
  static final String DATA_FILE = "data";

  ToySubject(ToyFormat format, int files, long size) {
    this(format, files, size, 65_536);
  }

  @Override
  public void create(List<HostFile> images, long virtualSize, Optional<BlockDevice> backing)
      throws IOException {
    CreateOptions options =
        CreateOptions.of(format.name(), virtualSize)
            .withFormats(List.of(format))
            .withReferences(policy(images));
    if (backing.isPresent()) {
      options = options.withBacking("backing", "raw");
    }
    CreateSession.create(images.get(0), options);
  }

  @Override
  public BlockDevice open(List<HostFile> images, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    OpenOptions options = options(images, writable);
    return Images.open(
        images.get(0), backing.isPresent() ? options.withBacking(backing.get()) : options);
  }

  private OpenOptions options(List<HostFile> images, boolean writable) {
    return (writable ? OpenOptions.readWrite() : OpenOptions.readOnly())
        .withFormat(format.name())
        .withFormats(List.of(format))
        .withReferences(policy(images))
        .withMetadataCache(metadataCache);
  }

  @Override
  public List<String> check(List<HostFile> images) throws IOException {
    return report(images).findings().stream()
        .filter(finding -> finding.severity() == Severity.ERROR)
        .map(CheckReport.Finding::message)
        .toList();
  }

  CheckReport report(List<HostFile> images) throws IOException {
    try (BlockDevice device = Images.open(images.get(0), options(images, false).withoutBacking())) {
      return device.feature(Checking.class).orElseThrow().check(io.vdisk.Progress.NONE);
    }
  }

  /** The data file is the second of the files, which stay open. */
  private static ReferencePolicy policy(List<HostFile> images) {
    return new ReferencePolicy() {
      @Override
      public HostFile open(Reference reference) throws IOException {
        if (images.size() < 2 || !reference.name().equals(DATA_FILE)) {
          return ReferencePolicy.deny().open(reference);
        }
        return new ForwardingFile(images.get(1)) {
          @Override
          public void close() {}
        };
      }

      @Override
      public HostFile create(Reference reference) throws IOException {
        return open(reference);
      }
    };
  }
}

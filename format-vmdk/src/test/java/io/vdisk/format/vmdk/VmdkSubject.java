package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Repairing;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** VMDK under the contracts of crashes, faults and races; a delta disk where it has a backing. */
record VmdkSubject(String subformat, int files, long size, List<String> options)
    implements Subject {
  static final List<ImageFormat> FORMATS = List.of(new VmdkFormat());

  static VmdkSubject sparse(String... options) {
    return new VmdkSubject("monolithicSparse", 1, (2 << 20) + 512 * 3, List.of(options));
  }

  /** One file beside the descriptor. */
  static VmdkSubject separate(String subformat, String... options) {
    return new VmdkSubject(subformat, 2, (2 << 20) + 512 * 3, List.of(options));
  }

  @Override
  public boolean canHaveBacking() {
    return !subformat.toLowerCase(java.util.Locale.ROOT).contains("flat")
        && !subformat.equals("vmfs");
  }

  /** A repair must leave a sound image as it is, whenever it is ended. */
  @Override
  public boolean alters() {
    return canHaveBacking();
  }

  @Override
  public void alter(BlockDevice device, int stamp) throws IOException {
    CheckReport report =
        device
            .feature(Repairing.class)
            .orElseThrow()
            .repair(stamp % 2 == 0 ? Repairing.Scope.ALL : Repairing.Scope.LEAKS, Progress.NONE);
    if (report.errors() > 0) {
      throw new AssertionError(report.findings());
    }
  }

  @Override
  public void create(List<HostFile> images, long virtualSize, Optional<BlockDevice> backing)
      throws IOException {
    CreateOptions creation =
        CreateOptions.of("vmdk", virtualSize)
            .withFormats(FORMATS)
            .withReferences(policy(images))
            .withOption("subformat", subformat);
    for (String option : options) {
      String[] parts = option.split("=", 2);
      creation = creation.withOption(parts[0], parts[1]);
    }
    if (backing.isPresent()) {
      creation = creation.withBacking("parent.vmdk", "vmdk").withoutOpeningBacking();
    }
    CreateSession.create(images.get(0), creation);
  }

  @Override
  public BlockDevice open(List<HostFile> images, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    OpenOptions opening = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    opening = opening.withFormats(FORMATS).withReferences(policy(images)).withMetadataCache(65_536);
    return Images.open(
        images.get(0), backing.isPresent() ? opening.withBacking(backing.get()) : opening);
  }

  @Override
  public List<String> check(List<HostFile> images) throws IOException {
    OpenOptions opening =
        OpenOptions.readOnly().withFormats(FORMATS).withReferences(policy(images)).withoutBacking();
    try (BlockDevice device = Images.open(images.get(0), opening)) {
      return device.feature(Checking.class).orElseThrow().check(Progress.NONE).findings().stream()
          .filter(finding -> finding.severity() == CheckReport.Severity.ERROR)
          .map(CheckReport.Finding::message)
          .toList();
    }
  }

  /** Extents are the files behind the first, in the order in which they are named. */
  static ReferencePolicy policy(List<HostFile> images) {
    return new ReferencePolicy() {
      @Override
      public HostFile open(Reference reference) throws IOException {
        int number = number(reference.name());
        if (number >= images.size()) {
          throw new java.nio.file.NoSuchFileException("file " + reference.name());
        }
        return images.get(number);
      }

      @Override
      public HostFile create(Reference reference) {
        return images.get(number(reference.name()));
      }
    };
  }

  private static int number(String name) {
    java.util.regex.Matcher matcher =
        java.util.regex.Pattern.compile(".*-[sf](\\d+)\\.vmdk").matcher(name);
    return matcher.matches() ? Integer.parseInt("0" + matcher.group(1)) % 1000 : 1;
  }
}

package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.feature.Snapshots;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** qcow2 under the contracts of crashes, faults and races. */
class Qcow2Subject implements Subject {
  static final List<ImageFormat> FORMATS = List.of(new Qcow2Format());

  /** Encrypted, with a header that is as small and as fast to open as can be. */
  static final Map<String, String> LUKS =
      Map.of(
          "cluster_size",
          "4k",
          "encrypt.format",
          "luks",
          "encrypt.iter-time",
          "1",
          "encrypt.cipher-alg",
          "aes-128",
          "encrypt.cipher-mode",
          "cbc",
          "encrypt.ivgen-alg",
          "essiv");

  /** Subclusters of 512 bytes. */
  static final Map<String, String> EXTENDED = Map.of("cluster_size", "16k", "extended_l2", "on");

  /** Guest data in a file of its own. */
  static final Map<String, String> DATA_FILE = Map.of("cluster_size", "4k", "data_file", "data");

  /** The same, which is a raw disk by itself. */
  static final Map<String, String> RAW_DATA_FILE =
      Map.of("cluster_size", "4k", "data_file", "data", "data_file_raw", "on");

  private final Map<String, String> choices;
  private final long size;

  Qcow2Subject(long size, Map<String, String> choices) {
    this.size = size;
    this.choices = choices;
  }

  @Override
  public int files() {
    return choices.containsKey("data_file") ? 2 : 1;
  }

  @Override
  public boolean canHaveBacking() {
    return !choices.containsKey("data_file_raw");
  }

  /** The image's data file is the second file, whatever it is called. */
  private static ReferencePolicy dataFile(List<HostFile> files) {
    return new ReferencePolicy() {
      @Override
      public HostFile open(Reference reference) {
        return files.get(1);
      }

      @Override
      public HostFile create(Reference reference) {
        return files.get(1);
      }
    };
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void create(List<HostFile> files, long virtualSize, Optional<BlockDevice> backing)
      throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", virtualSize)
            .withFormats(FORMATS)
            .withSecrets(Samples.SECRETS)
            .withReferences(dataFile(files));
    for (Map.Entry<String, String> choice : choices.entrySet()) {
      options = options.withOption(choice.getKey(), choice.getValue());
    }
    if (backing.isPresent()) {
      options = options.withBacking("backing", "raw");
    }
    // Not opened here: what the image names is given at open, and no policy would allow it.
    CreateSession.create(files.get(0), options);
  }

  @Override
  public BlockDevice open(List<HostFile> files, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    options =
        options.withFormats(FORMATS).withSecrets(Samples.SECRETS).withReferences(dataFile(files));
    if (backing.isPresent()) {
      options = options.withBacking(backing.get());
    }
    return Images.open(files.get(0), options);
  }

  @Override
  public List<String> check(List<HostFile> files) throws IOException {
    OpenOptions options = OpenOptions.readOnly().withFormats(FORMATS).withoutBacking();
    List<String> errors = new ArrayList<>();
    try (BlockDevice device = Images.open(files.get(0), options)) {
      CheckReport report = device.feature(Checking.class).orElseThrow().check((d, t) -> true);
      for (CheckReport.Finding finding : report.findings()) {
        if (finding.severity() != CheckReport.Severity.LEAK && !isWindow(finding.message())) {
          errors.add(finding.message());
        }
      }
    }
    return errors;
  }

  /**
   * While a snapshot is made or deleted, COPIED marks and counts disagree for a moment in any
   * order: nothing is lost by it.
   */
  private boolean isWindow(String message) {
    return alters() && message.contains(" COPIED, and its cluster at ");
  }

  /** Snapshots come and go. */
  static final class Snapshotting extends Qcow2Subject {
    Snapshotting(long size, Map<String, String> choices) {
      super(size, choices);
    }

    @Override
    public boolean alters() {
      return true;
    }

    @Override
    public void alter(BlockDevice device, int stamp) throws IOException {
      Snapshots snapshots = device.feature(Snapshots.class).orElseThrow();
      List<Snapshots.Snapshot> list = snapshots.list();
      if (list.size() < 2 || stamp % 4 == 0) {
        Snapshots.Snapshot unused = snapshots.create("s" + stamp);
      } else {
        snapshots.delete(list.get(stamp % list.size()));
      }
    }
  }

  /** Bitmaps come and go, and record. */
  static final class Marking extends Qcow2Subject {
    Marking(long size, Map<String, String> choices) {
      super(size, choices);
    }

    @Override
    public boolean alters() {
      return true;
    }

    @Override
    public void alter(BlockDevice device, int stamp) throws IOException {
      DirtyBitmaps bitmaps = device.feature(DirtyBitmaps.class).orElseThrow();
      List<DirtyBitmaps.Bitmap> list = bitmaps.list();
      if (list.size() < 2) {
        String name = list.isEmpty() || !list.get(0).name().equals("a") ? "a" : "b";
        DirtyBitmaps.Bitmap unused = bitmaps.create(name, 4096);
      } else if (stamp % 4 == 0 && list.get(0).consistent()) {
        bitmaps.clear(list.get(0).name());
      } else {
        bitmaps.remove(list.get(stamp % 2).name());
      }
    }
  }
}

package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * About the simplest format that allocates: one table with a word for each unit of 4 KiB (0
 * backing, 1 zero, otherwise its place), laid out at creation; data in the same file or in another.
 * It can be built with a flaw, to show that a contract sees it.
 */
final class UnitTableFormat implements ImageFormat, Subject {
  static final int UNIT = 4096;

  /** Where the table begins: position 0 would mean that there is none. */
  static final long TABLE = UNIT;

  /** What may be wrong with the layout. */
  enum Flaw {
    NONE,
    TABLE_BEFORE_DATA,
    FREED_SPACE_IS_REUSED_AT_ONCE,
    DISCARD_SHOWS_BACKING,
    ZEROES_ARE_FORGOTTEN,
    COMMIT_BEFORE_DATA,
    FAILED_FLUSH_IS_SWALLOWED,
    ABORT_LEAVES_THE_MAPPING
  }

  private final int files;
  private final Flaw flaw;

  UnitTableFormat(int files, Flaw flaw) {
    this.files = files;
    this.flaw = flaw;
  }

  @Override
  public int files() {
    return files;
  }

  /** Two slices of table, and a unit cut short. */
  @Override
  public long size() {
    return 600L * UNIT + 1536;
  }

  private long units() {
    return (size() + UNIT - 1) / UNIT;
  }

  long tableBytes() {
    return (units() * Long.BYTES + UNIT - 1) / UNIT * UNIT;
  }

  /** Where data may begin. */
  long start() {
    return TABLE + tableBytes();
  }

  Flaw flaw() {
    return flaw;
  }

  @Override
  public void create(List<HostFile> images, long size, Optional<BlockDevice> backing)
      throws IOException {
    images.get(0).resize(start());
  }

  @Override
  public BlockDevice open(List<HostFile> images, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    options =
        options
            .withFormats(List.of(this))
            .withFormat(name())
            .withMetadataCache(1 << 16)
            .withReferences(reference -> images.get(1));
    if (backing.isPresent()) {
      options = options.withBacking(backing.orElseThrow());
    }
    return Images.open(images.get(0), options);
  }

  @Override
  public List<String> check(List<HostFile> images) throws IOException {
    HostFile data = images.get(files - 1);
    ByteBuffer table = ByteBuffer.allocate((int) tableBytes());
    images.get(0).readFully(table, TABLE);
    List<String> errors = new ArrayList<>();
    Set<Long> places = new HashSet<>();
    for (int i = 0; i < units(); i++) {
      long place = table.getLong(i * Long.BYTES);
      if (place > 1 && !places.add(place)) {
        errors.add("unit " + i + " shares its place " + place);
      }
      if (place > 1 && (place % UNIT != 0 || place >= data.size())) {
        errors.add("unit " + i + " lies at " + place + " of " + data.size());
      }
    }
    return errors;
  }

  @Override
  public String name() {
    return "units";
  }

  @Override
  public Probe probe(HostFile file) {
    return Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    HostFile data =
        files == 1
            ? file
            : context.file(
                new Reference(Reference.Kind.EXTENT, "data", Optional.empty(), file, true));
    UnitTableLayout layout = new UnitTableLayout(this, file, data, context.cacheBudget());
    return context.device(layout, context.backing(Optional.empty()));
  }

  ImageInfo info() {
    return ImageInfo.builder(name(), size(), UNIT).build();
  }
}

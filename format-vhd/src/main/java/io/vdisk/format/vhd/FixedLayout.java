package io.vdisk.format.vhd;

import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.WritableLayout;
import java.io.IOException;
import java.util.Optional;

/** An open fixed disk: every guest byte lies at its own offset, before the footer. */
final class FixedLayout implements WritableLayout {
  /** What the engine locks at a time, and zeroes where the host cannot; any power of two does. */
  private static final long UNIT = 1 << 20;

  private final HostFile file;
  private final Footers.Reading reading;
  private final VhdDescription description;
  private final VhdFeatures features;
  private volatile ImageInfo info;

  FixedLayout(
      HostFile file,
      Footers footers,
      Footers.Reading reading,
      VhdDescription description,
      VhdFeatures features) {
    this.file = file;
    this.reading = reading;
    this.description = description;
    this.features = features;
    this.info = description.ofFixed(footers);
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public void beforeWrite(long offset, long length) throws IOException {
    features.checkTakesWrites(file);
  }

  @Override
  public Mapping map(long offset, long length) {
    return Mapping.stored(file, offset, length, true);
  }

  @Override
  public long unitStart(long offset) {
    return offset & -UNIT;
  }

  @Override
  public long unitEnd(long offset) {
    return unitStart(offset) + UNIT;
  }

  @Override
  public Allocation allocate(long offset, long length) {
    throw new IllegalStateException("the data of a fixed disk is always written in place");
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    return file.zero(offset, length, keepSpace) ? length : 0;
  }

  @Override
  public void flush() throws IOException {
    file.flush();
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    return features.find(type, exclusive, file);
  }

  @Override
  public void reload() throws IOException {
    info = description.ofFixed(Footers.read(file, reading));
  }
}

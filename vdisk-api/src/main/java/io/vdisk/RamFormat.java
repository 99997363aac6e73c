package io.vdisk;

import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.OpenSession;
import io.vdisk.spi.Probe;
import io.vdisk.spi.WritableLayout;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** A disk in memory, so that the engine serves it as it serves any other. Never installed. */
final class RamFormat implements ImageFormat {
  private static final String NAME = "ram";

  private RamFormat() {}

  static BlockDevice device(long size) throws IOException {
    MemoryFile memory = new MemoryFile(NAME + ":" + size);
    memory.resize(size);
    OpenOptions options =
        OpenOptions.readWrite().withFormats(List.of(new RamFormat())).withFormat(NAME);
    return OpenSession.open(memory, memory, options);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe(HostFile file) {
    return Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    return context.device(new Layout(file, file.size()), Optional.empty());
  }

  private static final class Layout implements WritableLayout {
    /** What the engine locks at a time; any power of two does. */
    private static final long UNIT = 1 << 20;

    private final HostFile memory;
    private final ImageInfo info;

    Layout(HostFile memory, long size) {
      this.memory = memory;
      this.info = ImageInfo.builder(NAME, size, 1).build();
    }

    @Override
    public ImageInfo info() {
      return info;
    }

    @Override
    public Mapping map(long offset, long length) {
      return Mapping.stored(memory, offset, length, true);
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
      throw new IllegalStateException("memory is always written in place");
    }

    @Override
    public long zero(long offset, long length, boolean keepSpace) throws IOException {
      return memory.zero(offset, length, keepSpace) ? length : 0;
    }

    @Override
    public void flush() throws IOException {
      memory.flush();
    }
  }
}

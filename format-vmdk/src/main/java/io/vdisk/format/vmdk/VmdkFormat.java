package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.Measurement;
import io.vdisk.OpenOptions;
import io.vdisk.SequentialSource;
import io.vdisk.SequentialTarget;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * VMDK: the disks of VMware's products, of VirtualBox and QEMU. Source: Virtual Disk Format 5.0,
 * whose names are used here. For the options of creation see {@link VmdkOptions}.
 */
public final class VmdkFormat implements ImageFormat {
  static final String NAME = "vmdk";

  /** For the service loader. */
  public VmdkFormat() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe(HostFile file) throws IOException {
    ByteBuffer first = ByteBuffer.allocate(SparseHeader.SECTOR);
    file.read(first, 0);
    first.flip();
    boolean isSparse =
        SparseHeader.isThere(first) || CowdHeader.isThere(first) || SeSparseHeader.isThere(first);
    if (isSparse) {
      return Probe.MAGIC;
    }
    return Descriptor.isOne(Arrays.copyOf(first.array(), first.limit())) ? Probe.MAGIC : Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    VmdkImage image = VmdkImage.open(file, context);
    return context.device(new VmdkLayout(image), image.backing());
  }

  @Override
  public void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    new VmdkCreator(file, options, context).create();
  }

  @Override
  public List<FormatOption> creationOptions() {
    return VmdkOption.creation();
  }

  @Override
  public List<FormatOption> amendableOptions() {
    return FormatOption.COMMON;
  }

  @Override
  public Measurement measure(Optional<BlockDevice> source, CreateOptions options)
      throws IOException {
    return VmdkMeasure.of(source, options);
  }

  /** Reads a stream-optimized image. */
  @Override
  public SequentialSource openStream(InputStream in, OpenOptions options) throws IOException {
    return new StreamReader(in, "the stream", options);
  }

  /** Writes a stream-optimized image; as many threads compress as there are processors. */
  @Override
  public SequentialTarget createStream(OutputStream out, CreateOptions options) throws IOException {
    return new StreamWriter(out, options, Runtime.getRuntime().availableProcessors());
  }

  @Override
  public boolean isWrittenAsStream(CreateOptions options) {
    return options
        .options()
        .getOrDefault("subformat", "")
        .equalsIgnoreCase(Subformat.STREAM_OPTIMIZED.word());
  }
}

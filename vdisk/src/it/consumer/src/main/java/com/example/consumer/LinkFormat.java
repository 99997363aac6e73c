package com.example.consumer;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.ImageLayout;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** An outsider's format: {@code LINK:}, then the name of the backing file that holds everything. */
public final class LinkFormat implements ImageFormat {
  private static final String MAGIC = "LINK:";

  /** For the service loader. */
  public LinkFormat() {}

  @Override
  public String name() {
    return "link";
  }

  @Override
  public Probe probe(HostFile file) throws IOException {
    return text(file).startsWith(MAGIC) ? Probe.MAGIC : Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    String name = text(file).substring(MAGIC.length());
    Reference reference =
        new Reference(Reference.Kind.BACKING, name, Optional.of("raw"), file, false);
    BlockDevice backing = context.backing(Optional.of(reference)).orElseThrow();
    return context.device(new LinkLayout(backing.size()), Optional.of(backing));
  }

  private static String text(HostFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(file.size()));
    file.readFully(bytes, 0);
    return new String(bytes.array(), StandardCharsets.UTF_8);
  }

  private record LinkLayout(long size) implements ImageLayout {
    @Override
    public ImageInfo info() {
      return ImageInfo.builder("link", size, 512).build();
    }

    @Override
    public Mapping map(long offset, long length) {
      return Mapping.backing(length);
    }
  }
}

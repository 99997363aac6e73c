package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.OpenOptions;
import io.vdisk.SequentialSource;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * OVA: an archive of a virtual machine's description and its disks, of which the first is read, in
 * one pass. Source: DMTF's Open Virtualization Format (DSP0243). Needs commons-compress.
 */
public final class OvaFormat implements ImageFormat {
  private static final int NAME_BYTES = 100;
  private static final int MAGIC_OFFSET = 257;
  private static final int HEADER_BYTES = 512;

  /** For the service loader. */
  public OvaFormat() {}

  @Override
  public String name() {
    return "ova";
  }

  /** An archive whose first file is a description. */
  @Override
  public Probe probe(HostFile file) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    file.read(header, 0);
    String text = new String(header.array(), StandardCharsets.ISO_8859_1);
    String name = text.substring(0, NAME_BYTES).replaceFirst("\0.*", "");
    return text.startsWith("ustar", MAGIC_OFFSET) && name.endsWith(".ovf") ? Probe.MAGIC : Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    throw new UnsupportedImageException(
        file.name() + ": an OVA is read in one pass alone; vdisk convert makes an image of it");
  }

  @Override
  public SequentialSource openStream(InputStream in, OpenOptions options) throws IOException {
    try {
      Class<?> unused =
          Class.forName(
              "org.apache.commons.compress.archivers.tar.TarArchiveInputStream",
              false,
              OvaFormat.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new UnsupportedImageException(
          "to read an OVA needs the library org.apache.commons:commons-compress; add it");
    }
    return OvaReader.open(in, options);
  }

  @Override
  public boolean isReadAsStream() {
    return true;
  }
}

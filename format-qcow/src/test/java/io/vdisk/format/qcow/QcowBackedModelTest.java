package io.vdisk.format.qcow;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Above a device that is shorter than the image, by no whole cluster. */
class QcowBackedModelTest extends BlockDeviceModel {
  private static final int SHORTER = 3000;

  private HostFile file = new MemoryFile("image");
  private BlockDevice backing;

  @Override
  protected BlockDevice create() throws IOException {
    file = new MemoryFile("image");
    backing = Images.ram(size() - SHORTER);
    backing.write(ByteBuffer.wrap(initialContent(), 0, size() - SHORTER), 0);
    CreateSession.create(
        file,
        CreateOptions.of("qcow", size())
            .withFormats(List.of(new QcowFormat()))
            .withOption("cluster_size", "1024")
            .withBacking("backing", null));
    return open();
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return open();
  }

  private BlockDevice open() throws IOException {
    return Images.open(
        file, OpenOptions.readWrite().withFormats(List.of(new QcowFormat())).withBacking(backing));
  }

  @Override
  protected int unit() {
    return 1024;
  }

  @Override
  protected int size() {
    return 12 * unit() + 512;
  }

  @Override
  protected byte[] initialContent() {
    byte[] content = new byte[size()];
    new Random(1).nextBytes(content);
    Arrays.fill(content, size() - SHORTER, size(), (byte) 0);
    return content;
  }
}

package io.vdisk.format.vhdx;

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
import java.util.Random;

/** Above a device that is shorter than the disk, by no whole sector. */
class VhdxBackedModelTest extends BlockDeviceModel {
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
        CreateOptions.of("vhdx", size())
            .withFormats(VhdxSubject.FORMATS)
            .withOption("block_size", "1048576")
            .withBacking("parent.vhdx", "vhdx")
            .withoutOpeningBacking());
    return open();
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return open();
  }

  private BlockDevice open() throws IOException {
    return Images.open(
        file, OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS).withBacking(backing));
  }

  @Override
  protected int unit() {
    return 1 << 20;
  }

  @Override
  protected int size() {
    return 2 * unit() + 512;
  }

  @Override
  protected byte[] initialContent() {
    byte[] content = new byte[size()];
    new Random(1).nextBytes(content);
    Arrays.fill(content, size() - SHORTER, size(), (byte) 0);
    return content;
  }
}

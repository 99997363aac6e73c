package io.vdisk.format.raw;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.BlockDeviceContract;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Units of 64 KiB, the standard: what a file in memory gives back at a time. */
class RawDeviceTest extends BlockDeviceContract {
  private static final List<ImageFormat> FORMATS = List.of(new RawFormat());

  private final Map<BlockDevice, HostFile> files = new IdentityHashMap<>();

  @Override
  protected BlockDevice create(long size) throws IOException {
    HostFile file = new MemoryFile("disk.raw");
    return remember(Images.create(file, CreateOptions.of("raw", size).withFormats(FORMATS)), file);
  }

  @Override
  protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
    device.close();
    HostFile file = files.get(device);
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return remember(Images.open(file, options.withFormat("raw").withFormats(FORMATS)), file);
  }

  private BlockDevice remember(BlockDevice device, HostFile file) {
    files.put(device, file);
    return device;
  }
}

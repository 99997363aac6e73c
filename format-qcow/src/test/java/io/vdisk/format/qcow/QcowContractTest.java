package io.vdisk.format.qcow;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.feature.UnitWriter;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;
import java.io.IOException;
import java.nio.ByteBuffer;

class QcowContractTest extends ImageFormatContract {
  @Override
  protected ImageFormat format() {
    return new QcowFormat();
  }

  @Override
  protected int headerSize() {
    return 48;
  }

  @Override
  protected CreateOptions creation(long size) {
    return super.creation(size).withOption("cluster_size", "1024");
  }

  @Override
  protected void fill(BlockDevice device) throws IOException {
    super.fill(device);
    UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
    for (int offset = 50 << 10; offset < 60 << 10; offset += 1024) {
      ByteBuffer unit = ByteBuffer.allocate(1024).putLong(8, offset);
      units.append(offset, unit.duplicate(), units.encode(unit.duplicate()));
    }
  }
}

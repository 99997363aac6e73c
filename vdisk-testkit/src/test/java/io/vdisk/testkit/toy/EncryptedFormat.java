package io.vdisk.testkit.toy;

import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Like an enciphered qcow: sectors are enciphered by their guest offset. Units may be stored
 * compressed instead, and then they are not enciphered.
 */
final class EncryptedFormat extends ToyFormat {
  /** The word of the header that holds the key, which makes this no secret. */
  static final int KEY = 2;

  EncryptedFormat() {
    super("encrypted", TableLayout.UNIT);
  }

  @Override
  ToyLayout<?> layout(Parts parts) throws IOException {
    return new EncryptedLayout(parts);
  }

  @Override
  List<Long> format(HostFile file, ToyHeader header, CreateContext context) throws IOException {
    long bytes = TableLayout.tableBytes(header.virtualSize());
    context.limits().checkTable("unit table", bytes, file.name());
    file.write(ByteBuffer.allocate((int) bytes), ToyHeader.BYTES);
    long key = 0x0123_4567_89ab_cdefL ^ header.virtualSize();
    return List.of((long) ToyHeader.BYTES, ToyHeader.BYTES + bytes, key);
  }
}

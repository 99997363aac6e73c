package io.vdisk.testkit.toy;

import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** Like qcow2 with an external data file: tables in one file, guest data in another. */
final class SplitFormat extends ToyFormat {
  /** From here on units lie in the data file: an entry of 0 means something else. */
  private static final long DATA_START = 512;

  SplitFormat() {
    super("split", TableLayout.UNIT);
  }

  @Override
  ToyLayout<?> layout(Parts parts) throws IOException {
    HostFile data = parts.context().file(reference(parts.file(), parts.context().writable()));
    return new SplitLayout(parts, data);
  }

  private static final class SplitLayout extends TableLayout {
    SplitLayout(Parts parts, HostFile data) throws IOException {
      super(parts, parts.file(), data, null);
    }
  }

  @Override
  List<Long> format(HostFile file, ToyHeader header, CreateContext context) throws IOException {
    HostFile data = context.file(reference(file, true));
    data.resize(DATA_START);
    long bytes = TableLayout.tableBytes(header.virtualSize());
    context.limits().checkTable("unit table", bytes, file.name());
    file.write(ByteBuffer.allocate((int) bytes), ToyHeader.BYTES);
    return List.of((long) ToyHeader.BYTES, DATA_START);
  }

  private static Reference reference(HostFile file, boolean writable) {
    return new Reference(
        Reference.Kind.DATA_FILE, ToySubject.DATA_FILE, Optional.empty(), file, writable);
  }
}

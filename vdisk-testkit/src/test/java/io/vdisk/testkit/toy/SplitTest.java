package io.vdisk.testkit.toy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.CrashDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SplitTest extends ToyContracts {
  static final ToySubject SUBJECT = new ToySubject(new SplitFormat(), 2, (2 << 20) + 700);

  @Override
  ToySubject subject() {
    return SUBJECT;
  }

  private final FlushCounter tables = new FlushCounter("tables");
  private final FlushCounter data = new FlushCounter("data");
  private final List<HostFile> files = List.of(tables, data);

  @Test
  void bothFilesAreFlushed() throws IOException {
    SUBJECT.create(files, SUBJECT.size(), Optional.empty());
    try (BlockDevice device = SUBJECT.open(files, true, Optional.empty())) {
      assertEquals("1 of data, 1 of tables", flushesAfterWriteTo(device));
      assertEquals("1 of data, 0 of tables", flushesAfterWriteTo(device), "in place");
      device.flush();
      assertEquals(0, data.take() + tables.take());
    }
  }

  private String flushesAfterWriteTo(BlockDevice device) throws IOException {
    int unused = data.take() + tables.take();
    device.write(ByteBuffer.allocate(600), 5000);
    device.flush();
    return data.take() + " of data, " + tables.take() + " of tables";
  }

  /** Counts of flushes do not show it: each file is flushed once in either order. */
  @Test
  void dataIsDurableBeforeTheTableThatNamesIt() throws IOException {
    CrashDisk disk = new CrashDisk();
    List<HostFile> images = List.of(disk.file("tables"), disk.file("data"));
    SUBJECT.create(images, SUBJECT.size(), Optional.empty());
    List<String> done = new ArrayList<>();
    try (BlockDevice device = SUBJECT.open(images, true, Optional.empty())) {
      device.write(ByteBuffer.allocate(TableLayout.UNIT), 0);
      disk.setHook(
          event -> {
            if (event.done()) {
              done.add(event.operation() + " " + event.file());
            }
          });
      device.flush();
      assertEquals(List.of("FLUSH data", "WRITE tables", "FLUSH tables"), done);
    }
  }

  @Test
  void dataFileIsRefusedUnlessThePolicyAllowsIt() throws IOException {
    SUBJECT.create(files, SUBJECT.size(), Optional.empty());
    OpenOptions options = OpenOptions.readOnly().withFormats(List.of(SUBJECT.format()));
    assertThrows(ReferenceDeniedException.class, () -> Images.open(tables, options));
  }
}

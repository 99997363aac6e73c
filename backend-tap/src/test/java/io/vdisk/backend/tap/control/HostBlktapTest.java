package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeException;
import io.vdisk.file.host.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The control device of blktap 1, simulated. */
class HostBlktapTest {
  private static final int ENOTTY = 25;

  @TempDir Path folder;

  private final List<String> calls = new ArrayList<>();
  private Path xen;
  private HostBlktap devices;

  @BeforeEach
  void devices() throws IOException {
    xen = Files.createDirectory(folder.resolve("xen"));
    devices = new HostBlktap(List.of(xen, folder), path -> new Control());
  }

  /** Has minors from 7 on. */
  private final class Control implements NativeDevice {
    @Override
    public int control(long request, long argument) throws NativeException {
      calls.add(request + " " + Long.toHexString(argument));
      return switch ((int) request) {
        case 5 -> 7;
        case 7 -> 250;
        case 9 -> 0;
        default -> throw new NativeException(ENOTTY, "no such call");
      };
    }

    @Override
    public int control(long request, ByteBuffer argument) {
      calls.add(
          request
              + " "
              + argument.remaining()
              + " "
              + argument.getShort(0)
              + " "
              + argument.getInt(4));
      return 8;
    }

    @Override
    public int read(ByteBuffer dst) {
      throw new AssertionError();
    }

    @Override
    public int write(ByteBuffer src) {
      throw new AssertionError();
    }

    @Override
    public NativeMemory map(long offset, int length) throws IOException {
      throw new IOException("no memory here");
    }

    @Override
    public boolean await() {
      throw new AssertionError();
    }

    @Override
    public void wake() {}

    @Override
    public void close() {
      calls.add("close");
    }
  }

  @Test
  void devicesThatAreMissingAreNamed() {
    DiskException thrown = assertThrows(DiskException.class, devices::check);

    assertEquals(19, thrown.number());
    assertEquals(
        xen.resolve("blktap0")
            + " is missing: this kernel has no blktap, and no guest can be reached",
        thrown.sentence());
  }

  @Test
  void interfaceIsMadeForDomainAndDeviceInOneNumber() throws Exception {
    Files.createFile(xen.resolve("blktap0"));
    Files.createFile(xen.resolve("blktap7")); // mknod takes rights: it is there already

    assertEquals(7, devices.create(5, 51_712));

    assertEquals(List.of("5 ca000005", "7 0", "close"), calls);
  }

  @Test
  void deviceWithALargeNumberTakesTheExtendedCall() throws Exception {
    Files.createFile(xen.resolve("blktap0"));
    Files.createFile(xen.resolve("blktap8"));

    assertEquals(8, devices.create(5, 1 << 28));

    assertEquals(List.of("50 8 5 268435456", "7 0", "close"), calls);
  }

  @Test
  void olderFolderIsLookedIntoToo() throws Exception {
    Files.createFile(folder.resolve("blktap0"));

    devices.check();
    devices.free(7);

    assertEquals(List.of("close", "9 7", "close"), calls);
  }

  @Test
  void minorThatIsNotServedIsNamed() throws Exception {
    Files.createFile(xen.resolve("blktap0"));

    DiskException thrown = assertThrows(DiskException.class, () -> devices.disconnect(7));

    assertTrue(thrown.sentence().endsWith("blktap7 is not served"), thrown.sentence());
  }

  @Test
  void deviceThatCannotBeMappedIsClosedAndNamed() throws Exception {
    Files.createFile(xen.resolve("blktap0"));
    ControlledDisk disk = new MemoryDisks().attach(1);

    DiskException thrown = assertThrows(DiskException.class, () -> devices.connect(7, disk));

    assertTrue(thrown.sentence().contains("blktap7 cannot be served: no memory here"));
    assertEquals(List.of("close"), calls);
  }
}

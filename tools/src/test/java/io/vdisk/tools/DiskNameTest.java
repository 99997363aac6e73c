package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Names of disks, on their way to a process that has a folder of its own. */
class DiskNameTest {
  private static final Path HERE = Path.of("").toAbsolutePath();

  @Test
  void whatIsRelativeIsMeantFromHere() {
    assertEquals("qcow2:" + HERE + "/disk.qcow2", DiskName.absolute("qcow2:disk.qcow2"));
    assertEquals("aio:" + HERE + "/../a:b", DiskName.absolute("aio:../a:b"));
    assertEquals("x-chain:" + HERE + "/list", DiskName.absolute("x-chain:list"));
    assertEquals("ram:" + HERE + "/contents", DiskName.absolute("ram:contents"));
  }

  @Test
  void whatIsAbsoluteOrNoFileStaysAsItIs() {
    for (String name :
        List.of("aio:/disk", "ram:64M", "ram:64M:name", "nbd:host:10809", "null", "aio:", "")) {
      assertEquals(name, DiskName.absolute(name));
    }
  }
}

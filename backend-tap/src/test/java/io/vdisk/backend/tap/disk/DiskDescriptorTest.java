package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Drivers by name. */
final class DiskDescriptorTest {
  private static void refused(String text, Errno errno, String trouble) {
    DiskException e = assertThrows(DiskException.class, () -> DiskDescriptor.parse(text), text);
    assertEquals(errno.number(), e.number(), text);
    assertTrue(e.getMessage().contains(trouble), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "aio, 0",
    "sync, 1",
    "vmdk, 2",
    "vhd, 4",
    "ram, 5",
    "qcow, 6",
    "qcow2, 6",
    "vhdx, 16",
    "phy, 0",
    "file, 0"
  })
  void aDriverHasTheNumberThatStatisticsTell(String name, int number) throws Exception {
    DiskDescriptor disk = DiskDescriptor.parse(name + ":/a:b");
    assertEquals(number, disk.type().number());
    assertEquals("/a:b", disk.path());
    assertEquals(name + ":/a:b", disk.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"vhdsync", "bc", "vhdi", "log", "remus", "lc", "lle", "llp", "valve", "nbd"})
  void whatIsKnownAndNotBuiltSaysSo(String name) {
    refused(name + ":/a", Errno.ENOSYS, "the driver '" + name + "' is not built here");
  }

  @Test
  void whatIsNoDriverSaysSo() {
    refused("zfs:/a", Errno.ENOENT, "there is no driver 'zfs'");
    refused(":/a", Errno.ENOENT, "there is no driver ''");
    refused("AIO:/a", Errno.ENOENT, "there is no driver 'AIO'");
    refused("/a", Errno.EINVAL, "'/a' is no type:path");
    refused("", Errno.EINVAL, "is no type:path");
    refused("aio:", Errno.EINVAL, "names no path");
    refused("a".repeat(32) + ":/a", Errno.ENAMETOOLONG, "at most 31 characters");
  }

  @Test
  void theNumbersAreLinuxs() {
    assertEquals(2, Errno.ENOENT.number());
    assertEquals(22, Errno.EINVAL.number());
    assertEquals(38, Errno.ENOSYS.number());
    assertEquals(114, Errno.EALREADY.number());
    assertEquals(126, Errno.ENOKEY.number());
  }
}

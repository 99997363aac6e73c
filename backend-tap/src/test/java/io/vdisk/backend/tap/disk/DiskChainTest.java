package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.disk.DiskChain.Link;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a disk string names, and in which order. */
final class DiskChainTest {
  @TempDir Path folder;

  private static Link link(DiskType type, String path) {
    return new Link(new DiskDescriptor(type, path), false);
  }

  private String list(String text) throws Exception {
    return "x-chain:" + Files.writeString(folder.resolve("list"), text);
  }

  private static void refused(String name, Errno errno, String trouble) {
    DiskException e = assertThrows(DiskException.class, () -> DiskChain.parse(name));
    assertEquals(errno.number(), e.number(), e.getMessage());
    assertTrue(e.getMessage().contains(trouble), e.getMessage());
  }

  @Test
  void oneImageIsAChainOfOne() throws Exception {
    assertEquals(List.of(link(DiskType.VHD, "/a.vhd")), DiskChain.parse("vhd:/a.vhd").links());
  }

  @Test
  void aStackHasTheGuestsImageFirst() throws Exception {
    assertEquals(
        List.of(link(DiskType.VHD, "/a"), link(DiskType.QCOW2, "/b"), link(DiskType.AIO, "/c")),
        DiskChain.parse("vhd:/a|qcow2:/b|aio:/c").links());
  }

  @Test
  void aBarWithoutADriverBehindIsOfThePath() throws Exception {
    assertEquals(
        List.of(link(DiskType.AIO, "/a|b"), link(DiskType.AIO, "/c|/d:e")),
        DiskChain.parse("aio:/a|b|aio:/c|/d:e").links());
  }

  @Test
  void aListHasOneImageALine() throws Exception {
    String list = list("vhd:/top.vhd\n\nqcow2:/mid \t ro \n  \naio:/base\tro\n");
    assertEquals(
        List.of(
            link(DiskType.VHD, "/top.vhd"),
            new Link(new DiskDescriptor(DiskType.QCOW2, "/mid"), true),
            new Link(new DiskDescriptor(DiskType.AIO, "/base"), true)),
        DiskChain.parse(list).links());
  }

  @Test
  void whatIsNoListIsRefusedByItsLine() throws Exception {
    refused(list("vhd:/a\nvhd\n"), Errno.EINVAL, "line 2 is no 'type:path'");
    refused(list("vhd:/a rw\n"), Errno.EINVAL, "line 1 has the flags 'rw'; there is only ro");
    refused(list("vhd:/a ro more\n"), Errno.EINVAL, "line 1 is no 'type:path'");
    refused(list("zfs:/a\n"), Errno.ENOENT, "there is no driver 'zfs'");
    refused(list("aio:/" + "a".repeat(600) + "\n"), Errno.EINVAL, "more than 511 characters");
    refused(list("\n \n"), Errno.EINVAL, "a chain has 1 to 64 images, not 0");
    refused(list("aio:/a\n".repeat(65)), Errno.EINVAL, "not 65");
    refused(list("aio:/a\n".repeat(20_000)), Errno.EINVAL, "bytes");
    assertThrows(NoSuchFileException.class, () -> DiskChain.parse("x-chain:" + folder + "/none"));
    Path file = folder.resolve("latin");
    Files.write(file, new byte[] {'a', 'i', 'o', ':', (byte) 0xe4});
    refused("x-chain:" + file, Errno.EINVAL, "no text in UTF-8");
  }

  @Test
  void aStackIsBoundedToo() {
    refused("aio:/a" + "|aio:/a".repeat(64), Errno.EINVAL, "not 65");
    refused("aio:/a|zfs:/b", Errno.ENOENT, "there is no driver 'zfs'");
    refused("aio:/a|nbd:/b", Errno.ENOSYS, "'nbd' is not built");
  }
}

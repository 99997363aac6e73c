package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Disks as libvirt describes them. */
final class LibvirtDiskTest {
  private static DiskSpec disk(String xml) throws Exception {
    List<DiskSpec> disks = LibvirtDisk.parse(xml);
    assertEquals(1, disks.size());
    return disks.get(0);
  }

  private static void refused(String xml, String trouble) {
    DiskException e = assertThrows(DiskException.class, () -> LibvirtDisk.parse(xml), xml);
    assertTrue(e.getMessage().contains(trouble), e.getMessage());
    assertEquals(Errno.EINVAL.number(), e.number());
  }

  @Test
  void theDriverNamesTheFormat() throws Exception {
    assertEquals(
        new DiskSpec("aio", "/p", "xvda", false, Access.READ_ONLY, Optional.of("tap"), Map.of()),
        disk(
            """
            <disk type='file' device='disk'>
              <driver name='tap' type='aio' cache='none'/>
              <source file='/p'><seclabel relabel='no'/></source>
              <target dev='xvda' bus='xen'/>
              <readonly/>
            </disk>
            """));
  }

  @Test
  void withoutADriverTheKindOfTheDiskCounts() throws Exception {
    assertEquals(
        Optional.of("phy:/dev/vg/a"),
        disk("<disk type='block'><source dev='/dev/vg/a'/><target dev='xvda'/></disk>")
            .descriptor());
    assertEquals(
        Optional.of("file:/a"),
        disk("<disk type='file'><source file='/a'/><target dev='xvda'/></disk>").descriptor());
  }

  @Test
  void libvirtsOwnNamesOfFormatsAreKnown() throws Exception {
    String disk =
        "<disk type='file'><driver name='tap2' type='%s'/><source file='/a'/>"
            + "<target dev='xvda'/><shareable/></disk>";
    assertEquals("vhd", disk(disk.formatted("vpc")).type());
    assertEquals("aio", disk(disk.formatted("raw")).type());
    assertEquals("qcow", disk(disk.formatted("tapdisk:qcow")).type());
    assertEquals(Access.SHARED, disk(disk.formatted("qcow2")).access());
  }

  @Test
  void aDomainHasSeveralAndADriveMayBeEmpty() throws Exception {
    List<DiskSpec> disks =
        LibvirtDisk.parse(
            """
            <?xml version='1.0'?>
            <domain type='xen'><name>disk</name><devices>
              <disk type='file'><source file='/a &amp; b'/><target dev='xvda'/></disk>
              <disk type='file' device='cdrom'><target dev='hdc'/><readonly/></disk>
            </devices></domain>
            """);
    assertEquals("/a & b", disks.get(0).target());
    assertEquals(Optional.empty(), disks.get(1).descriptor());
    assertTrue(disks.get(1).isCdrom());
  }

  @Test
  void nothingIsExpandedOrFetched() {
    refused(
        "<!DOCTYPE disk [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>"
            + "<disk><source file='&a;'/><target dev='xvda'/></disk>",
        "document type declaration");
    refused("<disk><source file='/a'/><target dev='&b;'/></disk>", "is no XML, line 1");
  }

  @Test
  void whatIsNoDiskIsRefused() {
    refused("<disk><source file='/a'/></disk>", "has no <target dev='...'/>");
    refused("<disk><target dev='xvda'/></disk>", "the disk xvda has no <source");
    refused("<domain/>", "there is no <disk> in it");
    refused("<disk", "is no XML, line 1");
    refused("<disk><target dev='xvda'/>", "is no XML");
    refused(" ".repeat(1 << 21), "longer than");
  }
}

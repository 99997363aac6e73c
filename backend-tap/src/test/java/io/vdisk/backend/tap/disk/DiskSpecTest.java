package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The disk strings of xm and xl. */
final class DiskSpecTest {
  private static DiskSpec spec(
      String type, String target, String vdev, Access access, String backend) {
    return new DiskSpec(type, target, vdev, false, access, Optional.ofNullable(backend), Map.of());
  }

  private static void refused(String text, int position, String trouble) {
    DiskSyntaxException e =
        assertThrows(DiskSyntaxException.class, () -> DiskSpec.parse(text), text);
    assertTrue(e.getMessage().contains(trouble), e.getMessage());
    assertEquals(position, e.position(), e.getMessage());
    assertEquals(Errno.EINVAL.number(), e.number());
  }

  @Test
  void xmWritesADriverAndAPathBehindTap() throws Exception {
    assertEquals(
        spec("aio", "/path", "sda1", Access.READ_WRITE, "tap"),
        DiskSpec.parse("tap:aio:/path,sda1,w"));
    assertEquals(
        spec("qcow", "/path", "xvda", Access.READ_ONLY, "tap"),
        DiskSpec.parse("tap:tapdisk:qcow:/path,xvda,r"));
    assertEquals(
        spec("vhd", "/p", "xvda", Access.READ_WRITE, "tap2"),
        DiskSpec.parse("tap2:tapdisk:vhd:/p,xvda,w"));
    assertEquals(
        spec("ram", "/p", "xvdb", Access.SHARED, "tap"), DiskSpec.parse("tap:ram:/p,xvdb,w!"));
    assertEquals(
        spec("qcow2", "/p", "hda", Access.READ_WRITE, "tap"),
        DiskSpec.parse("tap:ioemu:qcow2:/p,ioemu:hda,w"));
    assertEquals(
        spec("ioemu", "/p", "hda", Access.READ_WRITE, "tap"), DiskSpec.parse("tap:ioemu:/p,hda,w"));
  }

  @Test
  void xmWritesDevicesAndFiles() throws Exception {
    assertEquals(
        spec("phy", "/dev/vg/root", "xvda1", Access.READ_WRITE, "phy"),
        DiskSpec.parse("phy:vg/root,xvda1,w"));
    assertEquals(
        spec("phy", "/dev/sdb", "0x301", Access.READ_ONLY, "phy"),
        DiskSpec.parse("phy:/dev/sdb,0x301,r"));
    assertEquals(
        spec("file", "/a:b c", "768", Access.READ_WRITE, "file"),
        DiskSpec.parse("file:/a:b c,768,w"));
    assertEquals(
        spec("nbd", "10.0.0.1:8000", "xvda", Access.READ_WRITE, "nbd"),
        DiskSpec.parse("nbd:10.0.0.1:8000,xvda,w"));
  }

  @Test
  void xmsFurtherFieldsAreTheDomainAndTheProtocol() throws Exception {
    DiskSpec disk = DiskSpec.parse("file:/boot.iso,hdc:cdrom,r,storage,x86_32-abi");
    assertTrue(disk.isCdrom());
    assertEquals(Map.of("backend", "storage", "protocol", "x86_32-abi"), disk.settings());
    assertEquals("hdc", disk.vdev());
  }

  @Test
  void xmsErrorsTellThePlaceAndWhatWasExpected() {
    refused("tap:aio:/path", 13, "expected ',' and the guest's device and the mode");
    refused("tap:aio:/path,sda1", 18, "expected ',' and the mode (r, w or w!)");
    refused("tap:aio:/path,sda1,rw", 19, "expected the mode: r, w or w!");
    refused("tap:aio:/path,sda1,", 19, "expected the mode: r, w or w!");
    refused("tap:/path,sda1,w", 4, "expected the name of a driver and ':'");
    refused("tap:tapdisk:/path,sda1,w,", 25, "expected a domain");
    refused("tap:aio:,sda1,w", 8, "expected a path");
    refused("tap:aio:/p,?,w", 11, "expected a device such as xvda");
    refused("tap:aio:/p,sda1:floppy,w", 15, "expected ':disk', ':cdrom' or ','");
    refused("file:/p,xvda,w,a,b,c", 19, "expected the end");
    refused("phy:x,xvda,w,", 13, "expected a domain");
  }

  @Test
  void xlWritesKeysOrPlaces() throws Exception {
    DiskSpec wanted = spec("qcow2", "/guest.qcow2", "xvda", Access.READ_WRITE, null);
    assertEquals(wanted, DiskSpec.parse("/guest.qcow2,qcow2,xvda,rw"));
    assertEquals(wanted, DiskSpec.parse("format=qcow2, vdev=xvda, access=rw, target=/guest.qcow2"));
    assertEquals(wanted, DiskSpec.parse("/guest.qcow2,qcow2,xvda"));
    assertEquals(wanted, DiskSpec.parse("vdev=xvda,/guest.qcow2,format=qcow2,access=w"));
    assertEquals(
        spec("aio", "/dev/vg/guest-volume", "hda", Access.READ_WRITE, null),
        DiskSpec.parse("/dev/vg/guest-volume,,hda"));
  }

  @Test
  void xlsTargetTakesTheRest() throws Exception {
    assertEquals(
        spec("vhd", "/a,b=c:d.vhd", "xvdb", Access.READ_ONLY, "tap"),
        DiskSpec.parse("backendtype=tap,format=vhd,vdev=xvdb,access=ro,target=/a,b=c:d.vhd"));
    assertEquals("/a,b", DiskSpec.parse("vdev=xvdb,target=/a,b,").target(), "xl drops one comma");
    assertEquals("/a,", DiskSpec.parse("vdev=xvdb,target=/a,,").target());
  }

  @Test
  void xlsEmptyDriveHasNoMedium() throws Exception {
    for (String text :
        new String[] {
          ",hdc:cdrom,r", "vdev=hdc,devtype=cdrom", ",,hdc,,cdrom", ",empty,hdc,r,cdrom"
        }) {
      DiskSpec drive = DiskSpec.parse(text);
      assertEquals(Optional.empty(), drive.descriptor(), text);
      assertEquals("hdc", drive.vdev(), text);
      assertEquals(Access.READ_ONLY, drive.access(), text);
      assertTrue(drive.isCdrom(), text);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'raw:/p,xvda,w', aio",
    "'qcow:/p,xvda,w', qcow",
    "'qcow2:/p,xvda,w', qcow2",
    "'vhd:/p,xvda:disk,w', vhd",
    "'tapdisk:vhd:/p,xvda,w', vhd",
    "'aio:/p,xvda,w', aio",
    "'ioemu:/p,xvda,w', aio"
  })
  void xlReadsTheOldPrefixes(String text, String type) throws Exception {
    assertEquals(spec(type, "/p", "xvda", Access.READ_WRITE, null), DiskSpec.parse(text));
  }

  @Test
  void xlTurnsProtocolsIntoScripts() throws Exception {
    DiskSpec disk = DiskSpec.parse("iscsi:iqn.2001-05.com:vol,xvda,w");
    assertEquals(Map.of("script", "block-iscsi"), disk.settings());
    assertEquals("iqn.2001-05.com:vol", disk.target());
  }

  @Test
  void xlsFlagsAndNamesAreKept() throws Exception {
    DiskSpec disk =
        DiskSpec.parse("discard,direct-io-safe,script=block-x,backend=dd,vdev=xvda,target=/p");
    assertEquals(
        Map.of("discard", "", "direct-io-safe", "", "script", "block-x", "backend", "dd"),
        disk.settings());
    assertEquals(Optional.of("aio:/p"), disk.descriptor());
    assertEquals(
        Optional.of("phy:/p"), DiskSpec.parse("backendtype=phy,vdev=xvda,target=/p").descriptor());
  }

  @Test
  void xlsErrorsTellThePlaceAndWhatWasExpected() {
    refused("/p,raw,xvda,q", 12, "expected access r, ro, w or rw");
    refused("/p,tar,xvda", 3, "expected format to be raw, qcow, qcow2, vhd");
    refused("/p,raw", 6, "expected vdev=");
    refused("vdev=xvda", 9, "expected target=");
    refused("/p,raw,xvda,w,more", 14, "expected key=value");
    refused("speed=9,/p,raw,xvda", 0, "expected a key that xl knows, not 'speed'");
    refused("qcow:/p,format=vhd,vdev=xvda", 8, "format is said twice");
    refused("foo:/p,xvda,w", 0, "there is no prefix 'foo:'");
    refused("/p,raw,hdc:floppy,w", 7, "the device's kind to be disk, cdrom");
    refused("backendtype=loop,vdev=xvda,target=/p", 0, "backendtype to be phy, tap");
    refused("grant_usage=2,vdev=xvda,target=/p", 0, "grant_usage to be 0, 1, not '2'");
    refused("specification=ide,vdev=xvda,target=/p", 0, "specification to be xen, virtio");
    refused("Speed=9", 0, "expected a path, key=value or ','");
    refused("", 0, "expected vdev=");
  }

  @Test
  void theModeBecomesTheFlagsOfTheRequest() throws Exception {
    assertEquals(
        Optional.of(OpenRequest.of("aio:/p", OpenFlag.READ_ONLY)),
        DiskSpec.parse("tap:aio:/p,xvda,r").request());
    assertEquals(
        Optional.of(OpenRequest.of("vhd:/p")), DiskSpec.parse("tap2:vhd:/p,xvda,w").request());
    assertEquals(
        Optional.of(OpenRequest.of("ram:64M", OpenFlag.SHARED)),
        DiskSpec.parse("tap:ram:64M,xvda,w!").request());
    assertEquals(Optional.empty(), DiskSpec.parse(",hdc:cdrom,r").request());
  }
}

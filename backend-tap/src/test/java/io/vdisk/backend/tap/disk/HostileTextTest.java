package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever a text is, it is a disk or one sentence says why not. */
final class HostileTextTest {
  private static final long SEED = 20261127;

  private static final List<String> DISKS =
      List.of(
          "tap:tapdisk:aio:/path,sda1:disk,w!,dom,x86_32-abi",
          "phy:vg/root,xvda1,r",
          "format=qcow2,vdev=xvda,access=rw,devtype=cdrom,backendtype=tap,target=/a,b",
          ",hdc:cdrom,r",
          "qcow:/p,xvda:disk,w");

  private static final String CONFIGURATION =
      "name='a'\\\ndisk = [ 'tap:aio:/a,xvda,w', # b\n \"phy:/b,xvdb,r\" 'c', ]; disk += ['x']\n";

  private static final String XML =
      "<?xml version='1.0'?><domain><disk type='file' device='disk'><driver name='tap' type='aio'/>"
          + "<source file='/p&amp;'/><target dev='xvda'/><!-- a --><readonly/></disk></domain>";

  private interface Reader {
    void read(String text) throws DiskException;
  }

  private static void readMutants(String original, String alphabet, Reader reader) {
    Random random = new Random(SEED);
    for (int i = 0; i < 4000; i++) {
      StringBuilder text = new StringBuilder(original);
      for (int j = random.nextInt(4); j >= 0; j--) {
        int at = random.nextInt(text.length());
        switch (random.nextInt(3)) {
          case 0 -> text.deleteCharAt(at);
          case 1 -> text.insert(at, alphabet.charAt(random.nextInt(alphabet.length())));
          default -> text.setLength(Math.max(1, text.length() - random.nextInt(5)));
        }
      }
      try {
        reader.read(text.toString());
      } catch (DiskException e) {
        if (!e.is(Errno.EINVAL) || e.getMessage().contains("\n")) {
          fail("'" + text + "' is told by: " + e.getMessage());
        }
      } catch (RuntimeException e) {
        fail("'" + text + "', seed " + SEED, e);
      }
    }
  }

  @Test
  void aDiskString() {
    for (String disk : DISKS) {
      readMutants(disk, ",:=|/!ar \n'\u00e4\0", DiskSpec::parse);
    }
  }

  @Test
  void aConfiguration() {
    readMutants(CONFIGURATION, ",[]'\"\\#=+;\n\r x5\0", DiskAssignment::parse);
  }

  @Test
  void aDocument() {
    readMutants(XML, "<>/&;'\"!?-[] a\0", LibvirtDisk::parse);
  }
}

package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Whole assignments of disks in configuration files. */
final class DiskAssignmentTest {
  private static List<String> disks(String text) throws Exception {
    return DiskAssignment.parse(text).stream()
        .map(disk -> disk.type() + ":" + disk.target() + "," + disk.vdev())
        .collect(Collectors.toList());
  }

  private static void refused(String text, String trouble) {
    DiskSyntaxException e =
        assertThrows(DiskSyntaxException.class, () -> DiskAssignment.parse(text), text);
    assertTrue(e.getMessage().contains(trouble), e.getMessage());
  }

  @Test
  void aListHasSeveralDisksOverSeveralLines() throws Exception {
    String text =
        """
        # a guest
        name = "guest"   # its name
        memory = 512; vcpus=2
        vif = [ 'bridge=xenbr0', "mac=00:16:3e:00:00:00" ]
        disk = [ 'tap:aio:/a,xvda,w',   # root
                 "phy:vg/swap,xvdb,w",

                 'format=vhd,vdev=xvdc,target=/c # not a comment, this',
               ]
        on_crash = 'destroy'
        """;
    assertEquals(
        List.of("aio:/a,xvda", "phy:/dev/vg/swap,xvdb", "vhd:/c # not a comment, this,xvdc"),
        disks(text));
  }

  @Test
  void oneAssignmentAloneIsEnough() throws Exception {
    assertEquals(List.of("aio:/p,sda1"), disks("disk=['tap:aio:/p,sda1,w']"));
    assertEquals(List.of("aio:/p,sda1"), disks("disk = 'tap:aio:/p,sda1,w'"));
    assertEquals(List.of(), disks("disk = []"));
    assertEquals(List.of(), disks(""));
  }

  @Test
  void aBackslashContinuesALineAndQuotesAreEscaped() throws Exception {
    assertEquals(
        List.of("aio:/it's,xvda", "aio:/b\\\"c,xvdb"),
        disks("disk = \\\n [ 'tap:aio:/it\\'s,\\\nxvda,w', \"tap:aio:/b\\\\\\\"c,xvdb,w\" ]\r\n"));
  }

  @Test
  void stringsSideBySideAreOne() throws Exception {
    assertEquals(List.of("aio:/p,xvda"), disks("disk = [ 'tap:aio:'\n  \"/p,xvda,w\" ]"));
  }

  @Test
  void aLaterAssignmentReplacesAndPlusAdds() throws Exception {
    String text = "disk=['file:/a,xvda,w']\ndisk=['file:/b,xvda,w']\ndisk += ['file:/c,xvdb,r']";
    assertEquals(List.of("file:/b,xvda", "file:/c,xvdb"), disks(text));
  }

  @Test
  void errorsTellTheLineAndThePlace() {
    refused("name = 'x'\ndisk = [ 'file:/a,xvda,w'", "expected ',' or ']', in line 2");
    refused(
        "disk = [ 'file:/a,xvda,w ]", "character 10: the string has no closing quote, in line 1");
    refused("disk = [ 'file:/a,xvda,w' 5 ]", "expected ',' or ']'");
    refused("disk [ ]", "character 6: expected '='");
    refused("= 5", "expected a name");
    refused("disk = ", "expected a string in quotes, a number or '['");
    refused("disk = 'x' 'y' z", "expected the end of the line");
    refused("disk = [ '\\q' ]", "after '\\'");
    refused("disk = [ [ [ [ [ [ [ [ [ [ ] ] ] ] ] ] ] ] ] ]", "nested deeper than 8");
    refused("disk = [ 'file:/a,xvda,w', 'file:/b,xvdb' ]", "expected ',' and the mode");
  }
}

package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.file.host.NativeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

class GrantTableTest {
  private final SimulatedXen xen = new SimulatedXen();
  private final GrantTable table = new GrantTable(xen, SimulatedXen.DOMAIN);

  @Test
  void pagesAreMappedOneBehindTheOtherAndUnmapped() throws IOException {
    ByteBuffer pages = xen.grant(9, -2);
    pages.putInt(SimulatedXen.PAGE, 42);

    try (MappedGrants mapped = table.map(List.of(9, -2))) {
      assertEquals(8192, mapped.buffer().capacity());
      assertEquals(42, mapped.buffer().getInt(SimulatedXen.PAGE));
      assertEquals(1, xen.mapped.get());
    }

    assertEquals(0, xen.mapped.get());
  }

  @Test
  void pagesThatAreNotGrantedAreNamedAndNothingStaysMapped() {
    xen.grant(9);

    IOException thrown = assertThrows(IOException.class, () -> table.map(List.of(9, -2)));

    assertEquals(
        "domain 5 did not grant us what it named, 9, 4294967294: Invalid argument",
        thrown.getMessage());
    assertEquals(0, xen.mapped.get());
  }

  @Test
  void pageThatMustBeBroughtBackFirstIsAskedForAgain() throws IOException {
    xen.grant(9);
    xen.again.set(3);

    table.map(List.of(9)).close();

    assertEquals(0, xen.again.get());
  }

  @Test
  void pageThatIsNeverBroughtBackIsGivenUp() {
    xen.grant(9);
    xen.again.set(1_000_000);

    assertThrows(IOException.class, () -> table.map(List.of(9)));

    assertEquals(0, xen.mapped.get());
  }

  @Test
  void copyIsOneStructureAndItsSegments() throws IOException {
    GrantCopy copy = table.newCopy();
    ByteBuffer page = xen.grant(0x11223344);
    ByteBuffer buffer = ByteBuffer.allocateDirect(4096);
    long address = copy.buffer(buffer);
    page.putInt(512, 7);

    copy.add(3, false, 0x11223344, 512, address + 8, 1024);
    copy.make();

    assertEquals(7, buffer.order(ByteOrder.nativeOrder()).getInt(8));
    ByteBuffer told = xen.lastCopy;
    assertEquals(1, told.getInt(0), "count");
    assertEquals(0x11223344, told.getInt(16), "reference");
    assertEquals(512, told.getShort(20), "offset");
    assertEquals(5, told.getShort(22), "domain");
    assertEquals(address + 8, told.getLong(24), "address");
    assertEquals(1024, told.getShort(32), "length");
    assertEquals(1, told.getShort(34), "the source is granted");
    assertEquals(3, copy.owner(0));

    copy.clear();
    copy.add(4, true, 0x11223344, 0, copy.buffer(buffer.putInt(0, 99)), 4096);
    copy.make();

    assertEquals(99, page.getInt(0));
    told = xen.lastCopy;
    assertEquals(0x11223344, told.getInt(24), "reference");
    assertEquals(0, told.getShort(28), "offset");
    assertEquals(5, told.getShort(30), "domain");
    assertEquals(2, told.getShort(34), "the target is granted");
  }

  @Test
  void copyOfManySegmentsGrowsAndSaysOfEachHowItWent() throws IOException {
    GrantCopy copy = table.newCopy();
    ByteBuffer buffer = ByteBuffer.allocateDirect(300 * 4096).order(ByteOrder.nativeOrder());
    long address = copy.buffer(buffer);
    for (int i = 0; i < 300; i++) {
      if (i % 3 > 0) {
        xen.grant(i).putInt(0, i);
      }
      copy.add(i, false, i, 0, address + i * 4096L, 4096);
    }
    xen.again.set(2);

    table.copy(copy);

    for (int i = 0; i < 300; i++) {
      assertEquals(i % 3 > 0 ? 0 : -3, copy.status(i));
      assertEquals(i % 3 > 0 ? i : 0, buffer.getInt(i * 4096));
      assertEquals(List.of(i, i), List.of(copy.owner(i), copy.reference(i)));
    }
    assertEquals(3, xen.copies.get());
  }

  @Test
  void copyOfNothingIsNoCall() throws IOException {
    table.copy(table.newCopy());

    assertEquals(0, xen.copies.get());
  }

  @Test
  void refusalOfAllIsTold() {
    xen.refusesCopies = true;
    GrantCopy copy = table.newCopy();
    copy.add(0, false, 1, 0, 0, 512);

    assertThrows(NativeException.class, () -> table.copy(copy));
  }
}

package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PersistentGrantsTest {
  private final SimulatedXen xen = new SimulatedXen();
  private final AtomicLong now = new AtomicLong();
  private final PersistentGrants grants =
      new PersistentGrants(new GrantTable(xen, SimulatedXen.DOMAIN), 2, now::get);
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(4096).order(ByteOrder.nativeOrder());

  @AfterEach
  void nothingStaysMapped() throws IOException {
    grants.close();
    assertEquals(0, xen.mapped.get());
  }

  private boolean isCopied(int reference) {
    return grants.copy(false, reference, 0, buffer, 0, 4096);
  }

  @Test
  void pageIsMappedOnceAndCopiedBothWaysWithoutACall() {
    ByteBuffer page = xen.grant(7);
    page.putInt(512, 42);

    assertTrue(grants.copy(false, 7, 512, buffer, 1024, 512));
    assertEquals(42, buffer.getInt(1024));
    assertTrue(grants.copy(true, 7, 4092, buffer, 1024, 4));
    assertEquals(42, page.getInt(4092));

    assertEquals(1, xen.mapped.get());
    assertEquals(0, xen.copies.get());
  }

  @Test
  void pageThatIsMappedStaysWhenItsGrantIsRevoked() {
    xen.grant(7).putInt(0, 42);
    assertTrue(isCopied(7));

    xen.revoke(7);

    assertTrue(isCopied(7));
    assertEquals(42, buffer.getInt(0));
  }

  @Test
  void whereThereIsNoRoomTheLongestUnusedPageGoesNowAndThen() {
    xen.grant(1, 2, 3);
    assertTrue(isCopied(1));
    assertTrue(isCopied(2));
    assertTrue(isCopied(1));
    assertFalse(isCopied(3), "there is room for two");
    now.addAndGet(PersistentGrants.PAUSE_NANOSECONDS);

    assertTrue(isCopied(3));

    assertEquals(2, grants.count());
    assertTrue(isCopied(1));
    assertFalse(isCopied(2), "it was the one");
  }

  @Test
  void guestOfWhichTooManyPagesCannotBeMappedHasNoneMappedAnyLonger() {
    for (int i = 0; i < PersistentGrants.MOST_FAILURES; i++) {
      assertFalse(isCopied(100 + i));
    }
    xen.grant(7);

    assertFalse(isCopied(7));
  }

  @Test
  void pageThatCannotBeUnmappedKeepsNoOtherMappedAndAllFailuresAreTold() {
    xen.grant(1, 2);
    assertTrue(isCopied(1));
    assertTrue(isCopied(2));
    xen.saysUnmappingFailed = true;

    IOException thrown = assertThrows(IOException.class, grants::close);

    assertEquals(0, xen.mapped.get());
    assertEquals(1, thrown.getSuppressed().length);
  }

  @Test
  void nothingIsMappedAfterClosing() throws IOException {
    xen.grant(7);

    grants.close();

    assertFalse(isCopied(7));
  }

  @Test
  void pageForWhichThereWasNoMemoryTakesNoPlaceOfTheProcess() {
    ByteBuffer unused = xen.grant(7);
    xen.beforeCalls = PersistentGrantsTest::wantMemory;
    for (int i = 0; i < 16_384; i++) { // as many as there are
      PersistentGrants others =
          new PersistentGrants(new GrantTable(xen, SimulatedXen.DOMAIN), 2, now::get);
      assertFalse(others.copy(false, 7, 0, buffer, 0, 4096));
    }
    xen.beforeCalls = () -> {};

    assertTrue(isCopied(7));
  }

  private static void wantMemory() {
    throw new OutOfMemoryError("Cannot reserve 24 bytes of direct buffer memory");
  }
}

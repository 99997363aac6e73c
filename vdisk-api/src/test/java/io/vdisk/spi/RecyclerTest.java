package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RecyclerTest {
  private final HostLog host = new HostLog();
  private final UnitLayout layout = new UnitLayout(host, 16 * UnitLayout.UNIT);
  private final Gate gate = new Gate();
  private final DecodedUnits decoded = new DecodedUnits();
  private final Recycler recycler = new Recycler(gate, layout, decoded);

  /** A unit that is stored, was decoded as if it were compressed, and is durably unnamed. */
  @BeforeEach
  void freeAUnit() throws IOException {
    Allocation space = layout.allocate(0, UnitLayout.UNIT);
    space.commit();
    decoded.put(host, space.fileOffset(), ByteBuffer.allocate(1));
    layout.recycling = () -> assertNull(decoded.get(host, space.fileOffset()));
    layout.zero(0, UnitLayout.UNIT, false);
    layout.flush();
    layout.log();
    assertNotNull(decoded.get(host, space.fileOffset()));
  }

  @Test
  void decodedUnitsAreDroppedBeforeTheirSpaceIsOfferedAgain() throws IOException {
    recycler.poll();
    assertEquals(List.of("recycle 1"), layout.log());
  }

  @Test
  void decodedUnitsAreDroppedForWhoIsAloneToo() throws IOException {
    recycler.begin();
    recycler.recycleAlone();
    recycler.end();
    assertEquals(List.of("recycle 1"), layout.log());
  }

  @Test
  void batchIsRecycledOnce() throws IOException {
    recycler.poll();
    recycler.poll();
    recycler.drain();
    assertEquals(List.of("recycle 1"), layout.log());
  }
}

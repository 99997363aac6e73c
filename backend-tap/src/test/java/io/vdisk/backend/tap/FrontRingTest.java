package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class FrontRingTest {
  private final ByteBuffer memory = ByteBuffer.allocateDirect(4096).order(ByteOrder.nativeOrder());
  private final FrontRing front = new FrontRing(memory, RingAbi.X86_64);
  private final TapRequest request = new TapRequest(RingAbi.X86_64);

  private List<Long> sectors(SharedRing ring) throws BrokenRingException {
    List<Long> sectors = new ArrayList<>();
    for (int left = ring.waiting(); left > 0; left--) {
      request.take(ring);
      sectors.add(request.sector());
    }
    return sectors;
  }

  private void ask(long from, long to) {
    LongStream.range(from, to)
        .forEach(
            sector -> {
              front.next().operation(1, sector);
              front.put();
            });
    front.publish();
  }

  @Test
  void whatHasNoResponseIsAskedAgainInItsOrder() throws Exception {
    SharedRing ring = SharedRing.attach(memory, RingAbi.X86_64);
    ask(0, 32);
    assertEquals(32, sectors(ring).size());
    for (long id : new long[] {9, 4}) {
      ring.put(id, 1, TapStatus.OKAY);
    }
    ring.publish();
    front.take();
    front.take();
    ask(32, 34); // with the ids of the two

    front.restart();
    front.publish();

    List<Long> expected = new ArrayList<>(LongStream.range(0, 34).boxed().toList());
    expected.removeAll(List.of(9L, 4L));
    assertEquals(expected, sectors(SharedRing.attach(memory, RingAbi.X86_64)));
  }
}

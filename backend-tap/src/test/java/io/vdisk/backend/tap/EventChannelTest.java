package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EventChannelTest {
  private final SimulatedEvents device = new SimulatedEvents();

  private EventChannel bound() throws IOException {
    EventChannel channel = EventChannel.bind(device, SimulatedXen.DOMAIN, SimulatedEvents.PORT);
    channel.await(); // what came before it was bound counts
    return channel;
  }

  @Test
  void eventAfterEventIsHeardBecauseEachUnmasksThePort() throws Exception {
    EventChannel channel = bound();

    for (int i = 0; i < 3; i++) {
      device.ring();
      channel.await();
    }
  }

  @Test
  void wakingIsHeardWithoutAnEvent() throws Exception {
    EventChannel channel = bound();
    channel.wake();

    channel.await();
    device.ring();
    channel.await();
  }

  @Test
  void otherEndIsNotified() throws Exception {
    EventChannel channel = bound();

    channel.notifyOther();
    channel.notifyOther();

    assertEquals(2, device.rings());
  }

  @Test
  void portThatIsNotOursIsNamed() {
    IOException thrown =
        assertThrows(IOException.class, () -> EventChannel.bind(device, SimulatedXen.DOMAIN, 23));

    assertEquals(
        "domain 5 has no event channel for us at its port 23: Invalid argument",
        thrown.getMessage());
  }

  @Test
  void closingClosesTheDevice() throws Exception {
    bound().close();

    assertTrue(device.isClosed());
  }
}

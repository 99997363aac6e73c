package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.BlktapDevice.Generation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The devices of the kernel's modules blktap, simulated: no current kernel has them. */
@Timeout(30)
class BlktapDeviceTest {
  private static final String PID = Long.toString(ProcessHandle.current().pid());
  private static final DiskInfo NUMBERS = DiskInfo.of(1 << 20, false);

  private final SimulatedBlktap device = new SimulatedBlktap();
  private WatchedDisk disk;
  private TapServer server;

  @BeforeEach
  void disk() throws IOException {
    disk = new WatchedDisk(1 << 20);
  }

  @AfterEach
  void end() throws IOException {
    disk.mayGo.countDown();
    if (server != null) {
      server.close();
    }
    disk.close();
  }

  private void serve(Generation generation) throws IOException {
    server =
        TapServer.start(
            BlktapDevice.begin("blktap7", generation, NUMBERS, device),
            disk,
            new ServeOptions(false, false, new RateLimit(), new RequestStatistics()));
  }

  @Test
  void deviceOfXen3IsToldThePidThenTheModeThatInterposes() throws Exception {
    serve(Generation.BLKTAP_1);

    assertEquals(List.of("4 " + PID, "3 3"), device.controls(2));
  }

  @Test
  void deviceOfBlktap2IsToldNameSectorsAndSectorSize() throws Exception {
    serve(Generation.BLKTAP_2);

    assertEquals(List.of("202 272"), device.controls(1));
    ByteBuffer told = device.parameters().order(ByteOrder.nativeOrder());
    byte[] name = new byte[8];
    told.get(0, name);
    assertEquals("blktap7\0", new String(name, StandardCharsets.US_ASCII));
    assertEquals(2048, told.getLong(256));
    assertEquals(512, told.getLong(264));
  }

  @Test
  void dataLiesInThePagesOfTheRequestsIdAndSegments() throws Exception {
    serve(Generation.BLKTAP_1);
    device.page(0, 0).put(512, (byte) 1);
    device.page(0, 1).put(0, (byte) 2);
    device.ask(r -> r.operation(1, 8).segment(99, 1, 7).segment(98, 0, 0));
    assertEquals(List.of(new FrontRing.Response(0, 1, 0)), device.responses(1));
    assertEquals(List.of("write 4096 4096"), disk.asked(), "the guest's page numbers mean nothing");

    device.ask(r -> r.operation(0, 8).segment(0, 0, 6).segment(0, 2, 2));

    assertEquals(new FrontRing.Response(1, 0, 0), device.responses(2).get(1));
    assertEquals(1, device.answered(1, 0).get(0));
    assertEquals(2, device.answered(1, 1).get(1024));
  }

  @Test
  void requestsThatCannotBeAreRefused() throws Exception {
    serve(Generation.BLKTAP_1);

    device.ask(r -> r.indirect(0, 0, 1, 0));
    device.ask(r -> r.operation(0, 0).segment(0, 0, 8));
    device.ask(r -> r.operation(9, 0));

    assertEquals(
        List.of(-1, -1, -2),
        device.responses(3).stream()
            .sorted(Comparator.comparing(FrontRing.Response::id)) // they come in any order
            .map(FrontRing.Response::status)
            .toList());
    assertEquals(List.of(), disk.asked());
  }

  @ParameterizedTest
  @ValueSource(longs = {32, -1, 1L << 32, Long.MIN_VALUE, Long.MAX_VALUE})
  void requestWhoseIdHasNoPagesIsRefused(long id) throws Exception {
    try (BlktapDevice transport =
        BlktapDevice.begin("blktap7", Generation.BLKTAP_1, NUMBERS, device)) {
      RingAbi abi = transport.abi();
      ByteBuffer memory = transport.ring().order(ByteOrder.nativeOrder());
      memory.putLong(64 + abi.id(), id).put(64 + abi.segmentCount(), (byte) 1).putInt(0, 1);
      RequestBatch batch = new RequestBatch(abi);
      batch.take(SharedRing.attach(memory, abi), 1);

      transport.fetch(batch);

      assertTrue(batch.isAnswered(0));
      assertEquals(TapStatus.ERROR, batch.status(0));
    }
  }

  @Test
  void pauseIsConfirmedWhenNothingIsOnItsWay() throws Exception {
    serve(Generation.BLKTAP_2);
    disk.waitsAt = 0;
    device.ask(r -> r.operation(0, 0).segment(0, 0, 7));
    disk.arrived.await();

    device.say(1);
    device.awaitReaction(1);
    disk.mayGo.countDown();

    assertEquals("204 0", device.controls(2).get(1));
    assertEquals(0, device.unansweredAtPause());
    device.say(2);
    assertEquals("206 0", device.controls(3).get(2));
    device.ask(r -> r.operation(0, 8).segment(0, 0, 7));
    assertEquals(2, device.responses(2).size());
  }

  @Test
  void messageToCloseEndsTheServerAndTheDevice() throws Exception {
    serve(Generation.BLKTAP_2);

    device.say(3);

    device.awaitClosed();
    server.awaitEnd();
    assertFalse(server.isServing());
  }

  @Test
  void deviceThatRefusesIsClosed() throws Exception {
    SimulatedBlktap other = new SimulatedBlktap();

    assertThrows(
        IOException.class,
        () ->
            BlktapDevice.begin("blktap7", Generation.BLKTAP_1, NUMBERS, new RefusingDevice(other)));

    other.awaitClosed();
  }

  @Test
  void deviceThatIsNotThereIsNamedOrWhatItTakes(@TempDir Path folder) {
    IOException thrown =
        assertThrows(
            IOException.class,
            () -> BlktapDevice.open(folder.resolve("blktap1"), Generation.BLKTAP_1, NUMBERS));

    assertTrue(thrown.getMessage().contains("blktap1"), thrown.getMessage());
  }
}

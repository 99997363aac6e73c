package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A server is killed while a guest writes, again and again, and another process takes its place: no
 * write that was answered is lost, and each request is answered once.
 */
@Timeout(120)
class KilledServerTest {
  private static final int PAGES = 1 << 15;
  private static final int KILLS = 2;
  private static final int ANSWERS_BEFORE_A_KILL = 700;

  @TempDir Path folder;

  private final List<Process> processes = new ArrayList<>();
  private final Map<Long, long[]> asked = new HashMap<>();
  private final long[] holds = new long[PAGES];
  private final boolean[] isBusy = new boolean[PAGES];
  private final Random random = new Random(1);
  private long lastValue;

  @AfterEach
  void endAll() {
    processes.forEach(Process::destroyForcibly);
  }

  private Process serve(String format) throws IOException {
    Files.deleteIfExists(folder.resolve("s"));
    JavaProcess server =
        JavaProcess.start(
            ServerProcess.class, folder.resolve("image").toString(), format, folder.toString());
    processes.add(server.process());
    assertEquals('r', server.process().getInputStream().read(), "ready");
    return server.process();
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2", "vhd"})
  void noWriteThatWasAnsweredIsLost(String format) throws Exception {
    Path image = folder.resolve("image");
    Images.create(image, CreateOptions.of(format, PAGES * 4096L)).close();
    Process server = serve(format);
    try (SharedFileFrontend frontend =
        SharedFileFrontend.connect(
            folder.resolve("s"),
            folder.resolve("ring"),
            new SharedFileLayout(RingAbi.ofHost(), 1, 32))) {
      for (int kill = 0; kill < KILLS; kill++) {
        write(frontend, ANSWERS_BEFORE_A_KILL);
        server.destroyForcibly().waitFor();
        server = serve(format);
        frontend.reconnect(folder.resolve("s"));
        write(frontend, 50);
      }
      drain(frontend);
    }
    assertEquals(0, server.waitFor());
    check(image, format);
  }

  /** Keeps the ring full until so many requests are answered. */
  private void write(SharedFileFrontend frontend, int answers) throws IOException {
    FrontRing ring = frontend.ring();
    int answered = 0;
    while (answered < answers) {
      while (ring.hasRoom()) {
        ask(frontend);
      }
      if (ring.publish()) {
        frontend.ringBell();
      }
      answered += takeAnswers(frontend);
    }
  }

  private void ask(SharedFileFrontend frontend) {
    FrontRing ring = frontend.ring();
    if (random.nextInt(500) == 0) {
      ring.next().operation(3, 0);
      asked.put((long) ring.put(), new long[] {-1, 0});
      return;
    }
    int page = random.nextInt(PAGES);
    while (isBusy[page]) {
      page = random.nextInt(PAGES);
    }
    isBusy[page] = true;
    long value = ++lastValue;
    long sector = page * 8L;
    FrontRequest request = ring.next();
    int slot = freeSlot();
    for (int at = 0; at < 4096; at += 8) {
      frontend.data().putLong(slot * 4096 + at, value);
    }
    request.operation(1, sector).segment(slot, 0, 7);
    asked.put((long) ring.put(), new long[] {page, value, slot});
  }

  private int freeSlot() {
    boolean[] used = new boolean[32];
    asked.values().stream().filter(a -> a.length > 2).forEach(a -> used[(int) a[2]] = true);
    int slot = 0;
    while (used[slot]) {
      slot++;
    }
    return slot;
  }

  private int takeAnswers(SharedFileFrontend frontend) throws IOException {
    FrontRing ring = frontend.ring();
    while (ring.waiting() == 0 && ring.mayAwaitResponses()) {
      if (!frontend.await()) {
        throw new IOException("the server has gone by itself");
      }
    }
    int count = ring.waiting();
    for (int i = 0; i < count; i++) {
      FrontRing.Response response = ring.take();
      assertEquals(0, response.status());
      long[] request = asked.remove(response.id());
      if (request[0] >= 0) {
        holds[(int) request[0]] = request[1];
        isBusy[(int) request[0]] = false;
      }
    }
    return count;
  }

  private void drain(SharedFileFrontend frontend) throws IOException {
    while (!asked.isEmpty()) {
      takeAnswers(frontend);
    }
  }

  private void check(Path image, String format) throws IOException {
    try (BlockDevice disk = Images.open(image, OpenOptions.readOnly().withFormat(format))) {
      ByteBuffer page = ByteBuffer.allocate(4096).order(ByteOrder.nativeOrder());
      for (int i = 0; i < PAGES; i++) {
        disk.read(page.clear(), i * 4096L);
        for (int at = 0; at < 4096; at += 8) {
          assertEquals(holds[i], page.getLong(at), "page " + i);
        }
      }
    }
  }
}

package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.SimulatedXenStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** What xl asks of the QEMU that it believes to have started. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class BlktapdDmTest {
  private static final String STATE = "/local/domain/0/device-model/7/state";

  @TempDir Path folder;
  private final ExecutorService pool = Executors.newSingleThreadExecutor();
  private SimulatedXenStore store;
  private Shell shell;
  private Path socket;

  @BeforeEach
  void begin() throws IOException {
    folder = folder.toRealPath();
    store = SimulatedXenStore.open(folder);
    shell = new Shell(folder);
    shell.environment.put("XENSTORED_PATH", store.socket().toString());
    socket = folder.resolve("qmp-libxl-7");
  }

  @AfterEach
  void end() throws IOException {
    pool.shutdownNow(); // it is interrupted, and waits no longer
    store.close();
  }

  private Future<Integer> start(String... words) {
    return pool.submit(
        () ->
            shell.run(
                (said, console) ->
                    BlktapdDm.run(console, Arrays.asList(words), Duration.ofMinutes(10))));
  }

  private void awaitRunning() {
    while (!store.find(STATE).equals(Optional.of("running"))) {
      Thread.onSpinWait();
    }
  }

  private static List<String> ask(Path socket, String... lines) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      PrintStream out =
          new PrintStream(Channels.newOutputStream(channel), true, StandardCharsets.US_ASCII);
      BufferedReader in =
          new BufferedReader(Channels.newReader(channel, StandardCharsets.US_ASCII));
      assertTrue(in.readLine().startsWith("{\"QMP\": {\"version\": {\"qemu\": {\"major\": "));
      String[] answers = new String[lines.length];
      for (int i = 0; i < lines.length; i++) {
        out.print(lines[i] + "\r\n");
        answers[i] = in.readLine();
      }
      channel.shutdownOutput();
      assertNull(in.readLine());
      return List.of(answers);
    }
  }

  @Test
  void xlIsToldThatTheModelRunsWhenItCanBeAsked() throws Exception {
    Future<Integer> model = start("7", socket.toString());
    awaitRunning();
    assertEquals(
        List.of("{\"return\": {}, \"id\": 1}", "{\"return\": [], \"id\": 2}"),
        ask(
            socket,
            "{\"execute\":\"qmp_capabilities\",\"id\":1}",
            "{\"execute\":\"query-chardev\",\"id\":2}"));
    assertEquals(
        List.of(
            "{\"return\": {\"status\": \"running\", \"running\": true}, \"id\": \"a\"}",
            "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"blktapd-dm is no QEMU, and"
                + " does not know 'device_add'\"}, \"id\": 4}"),
        ask(
            socket,
            "{ \"id\" : \"a\", \"execute\" : \"query-status\" }",
            "{\"execute\":\"device_add\",\"id\":4,\"arguments\":{\"driver\":\"x\"}}"));
    pool.shutdownNow();
    assertEquals(0, model.get());
    assertFalse(Files.exists(socket));
  }

  @Test
  void whoeverHangsUpInTheMiddleKeepsNobodyFromAsking() throws Exception {
    Files.createFile(socket); // of a process that was killed
    Future<Integer> unused = start("7", socket.toString());
    awaitRunning();
    SocketChannel.open(UnixDomainSocketAddress.of(socket)).close();
    assertEquals(
        List.of("{\"return\": [], \"id\": 2}"),
        ask(socket, "{\"execute\":\"query-chardev\",\"id\":2}"));
  }

  @Test
  void aModelThatIsNotAskedTellsThatItRunsAndEnds() throws Exception {
    assertEquals(0, start("7").get());
    assertEquals(Optional.of("running"), store.find(STATE));
  }
}

package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bytes of Xen's store, and what a client does with those that make no sense. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class StoreConnectionTest {
  /** What the client sends, whole, and what it is sent, a byte array at a time. */
  private static final class Wire implements StoreChannel {
    final BlockingQueue<byte[]> sent = new LinkedBlockingQueue<>();
    final BlockingQueue<byte[]> answers = new LinkedBlockingQueue<>();
    private byte[] rest = {};

    @Override
    public void write(ByteBuffer message) {
      byte[] bytes = new byte[message.remaining()];
      message.get(bytes);
      sent.add(bytes);
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
      try {
        rest = rest.length > 0 ? rest : answers.take();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      int count = Math.min(rest.length, dst.remaining());
      dst.put(rest, 0, count);
      rest = java.util.Arrays.copyOfRange(rest, count, rest.length);
      return count;
    }

    @Override
    public void close() {
      answers.add(new byte[0]);
    }

    void answer(int type, int request, int transaction, String text) {
      byte[] payload = text.getBytes(StandardCharsets.UTF_8);
      ByteBuffer message = ByteBuffer.allocate(16 + payload.length).order(ByteOrder.nativeOrder());
      message.putInt(type).putInt(request).putInt(transaction).putInt(payload.length).put(payload);
      answers.add(message.array());
    }
  }

  private final Wire wire = new Wire();
  private final XenStore store = XenStore.begin(wire);

  @AfterEach
  void end() {
    store.close();
  }

  /** A body that a thread of its own carries out; its failure is the future's. */
  private interface Asking<T> {
    T run() throws IOException;
  }

  private static <T> CompletableFuture<T> ask(Asking<T> body) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                result.complete(body.run());
              } catch (IOException | RuntimeException e) {
                result.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return result;
  }

  private static String failure(CompletableFuture<?> asked) {
    return assertThrows(Exception.class, () -> asked.get(30, TimeUnit.SECONDS))
        .getCause()
        .getMessage();
  }

  @Test
  void aReadIsTheseBytesOnALittleEndianHost() throws Exception {
    org.junit.jupiter.api.Assumptions.assumeTrue(
        ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
    CompletableFuture<String> value = ask(() -> store.read("/a/b"));
    assertArrayEquals(
        HexFormat.of().parseHex("02000000" + "01000000" + "00000000" + "05000000" + "2f612f6200"),
        wire.sent.take());
    wire.answers.add(
        HexFormat.of().parseHex("02000000" + "01000000" + "00000000" + "02000000" + "3432"));
    assertEquals("42", value.get(30, TimeUnit.SECONDS));
  }

  @Test
  void aWriteHasNoZeroBehindItsValueAndCarriesItsTransaction() throws Exception {
    CompletableFuture<Integer> done =
        ask(
            () ->
                store.transact(
                    nodes -> {
                      nodes.write("/a", "1");
                      return 7;
                    }));
    assertArrayEquals(message(6, 1, 0, "\0"), wire.sent.take());
    wire.answer(6, 1, 0, "4000000000\0");
    assertArrayEquals(message(11, 2, (int) 4_000_000_000L, "/a\0" + "1"), wire.sent.take());
    wire.answer(11, 2, (int) 4_000_000_000L, "OK\0");
    assertArrayEquals(message(7, 3, (int) 4_000_000_000L, "T\0"), wire.sent.take());
    wire.answer(7, 3, (int) 4_000_000_000L, "OK\0");
    assertEquals(7, done.get(30, TimeUnit.SECONDS));
  }

  private static byte[] message(int type, int request, int transaction, String text) {
    Wire made = new Wire();
    made.answer(type, request, transaction, text);
    return made.answers.remove();
  }

  @Test
  void answersInAnotherOrderFindTheirRequests() throws Exception {
    CompletableFuture<String> first = ask(() -> store.read("/a"));
    byte[] unused = wire.sent.take();
    CompletableFuture<String> second = ask(() -> store.read("/b"));
    unused = wire.sent.take();
    wire.answer(2, 2, 0, "two");
    wire.answer(2, 1, 0, "one");
    assertEquals("one", first.get(30, TimeUnit.SECONDS));
    assertEquals("two", second.get(30, TimeUnit.SECONDS));
  }

  @Test
  void anEventBetweenPartsOfAnAnswerIsHeard() throws Exception {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    CompletableFuture<StoreWatch> watch = ask(() -> store.watch("/a", heard::add));
    assertArrayEquals(message(4, 1, 0, "/a\0vdisk1\0"), wire.sent.take());
    wire.answer(15, 0, 0, "/a\0vdisk1\0");
    wire.answer(15, 0, 0, "/a\0somebody's\0");
    wire.answer(4, 0, 0, "OK\0"); // Linux' device answers these without their number
    assertEquals("/a", watch.get(30, TimeUnit.SECONDS).path());
    assertEquals("/a", heard.poll(30, TimeUnit.SECONDS));
    assertTrue(heard.isEmpty());
  }

  @ParameterizedTest
  @CsvSource({
    "16, ENOENT, /a: the store says ENOENT",
    "16, 'EACCES\0', /a: the store says EACCES",
    "11, x, /a: the store answers READ with a message of type 11",
    "2, 'x\0y', /a holds a zero byte"
  })
  void anAnswerThatMakesNoSenseIsThatRequestsAlone(int type, String text, String sentence)
      throws Exception {
    CompletableFuture<String> value = ask(() -> store.read("/a"));
    byte[] unused = wire.sent.take();
    wire.answer(type, 1, 0, text);
    assertEquals(sentence, failure(value));
    CompletableFuture<String> next = ask(() -> store.read("/a"));
    unused = wire.sent.take();
    wire.answer(2, 2, 0, "5");
    assertEquals("5", next.get(30, TimeUnit.SECONDS));
  }

  @Test
  void bytesThatAreNoTextAreRefused() throws Exception {
    CompletableFuture<String> value = ask(() -> store.read("/a"));
    byte[] unused = wire.sent.take();
    byte[] answer = message(2, 1, 0, "xx");
    answer[16] = (byte) 0xff;
    wire.answers.add(answer);
    assertEquals("/a is no text in UTF-8", failure(value));
  }

  @Test
  void aListWithoutItsEndIsRefused() throws Exception {
    CompletableFuture<?> names = ask(() -> store.children("/a"));
    byte[] unused = wire.sent.take();
    wire.answer(1, 1, 0, "one\0two");
    assertEquals("/a has no zero byte at its end", failure(names));
  }

  @Test
  void aMessageOfAnyLengthEndsTheConnection() throws Exception {
    CompletableFuture<String> value = ask(() -> store.read("/a"));
    byte[] unused = wire.sent.take();
    wire.answers.add(
        ByteBuffer.allocate(16).order(ByteOrder.nativeOrder()).putInt(12, 4097).array());
    assertEquals("/a: the store sent a message of 4097 bytes; it has 4096 at most", failure(value));
    assertTrue(store.ended().isDone());
  }

  @Test
  void theEndWithinAMessageIsToldSo() throws Exception {
    CompletableFuture<String> value = ask(() -> store.read("/a"));
    byte[] unused = wire.sent.take();
    wire.answers.add(new byte[5]);
    wire.answers.add(new byte[0]);
    assertEquals("/a: the store ended within a message", failure(value));
  }

  @Test
  void anEventWithoutATokenEndsTheConnection() throws Exception {
    wire.answer(15, 0, 0, "/a\0");
    assertEquals(
        "an event of the store has no path or token",
        store.ended().get(30, TimeUnit.SECONDS).getMessage());
  }

  /** Events for someone who is busy with the first one; how often is listened in all. */
  private int heardOf(int events, boolean isOfPaths) throws Exception {
    CountDownLatch isFree = new CountDownLatch(1);
    AtomicInteger heard = new AtomicInteger();
    Runnable listener =
        () -> {
          heard.incrementAndGet();
          Uninterruptibles.awaitUninterruptibly(isFree);
        };
    CompletableFuture<StoreWatch> watch =
        ask(
            () ->
                isOfPaths
                    ? store.watch("/a", path -> listener.run())
                    : store.watch("/a", listener));
    byte[] unused = wire.sent.take();
    wire.answer(4, 1, 0, "OK\0");
    assertEquals("/a", watch.get(30, TimeUnit.SECONDS).path());
    for (int i = 0; i < events; i++) {
      wire.answer(15, 0, 0, (isOfPaths ? "/a/b" : "/a/" + i) + "\0vdisk1\0");
    }
    CompletableFuture<String> read = ask(() -> store.read("/b")); // which comes behind them
    unused = wire.sent.take();
    wire.answer(2, 2, 0, "1");
    assertEquals("1", read.get(30, TimeUnit.SECONDS));
    CompletableFuture<Integer> after = new CompletableFuture<>();
    CompletableFuture<StoreWatch> last =
        ask(() -> store.watch("/c", path -> after.complete(heard.get())));
    unused = wire.sent.take();
    isFree.countDown();
    wire.answer(4, 3, 0, "OK\0");
    wire.answer(15, 0, 0, "/c\0vdisk2\0");
    assertEquals("/c", last.get(30, TimeUnit.SECONDS).path());
    return after.get(30, TimeUnit.SECONDS);
  }

  @Test
  void whoIsBusyHearsOnceOfWhatChangesOften() throws Exception {
    assertTrue(heardOf(1000, true) <= 2);
  }

  @Test
  void whoAsksForNoPathsHearsOnceOfAllThatChanges() throws Exception {
    assertTrue(heardOf(1000, false) <= 2);
  }

  @Test
  void aWatcherThatFailsEndsTheConnection() throws Exception {
    CompletableFuture<StoreWatch> watch =
        ask(
            () ->
                store.watch(
                    "/a",
                    path -> {
                      throw new IllegalStateException("not this");
                    }));
    byte[] unused = wire.sent.take();
    wire.answer(4, 1, 0, "OK\0");
    wire.answer(15, 0, 0, "/a\0vdisk1\0");
    StoreWatch made = watch.get(30, TimeUnit.SECONDS);
    assertEquals("/a", made.path());
    assertEquals(
        "a watcher of Xen's store failed: java.lang.IllegalStateException: not this",
        store.ended().get(30, TimeUnit.SECONDS).getMessage());
  }

  @Test
  void aStoreThatDoesNotAnswerIsGivenUp() {
    try (XenStore late = XenStore.begin(new Wire(), 0)) {
      assertEquals(
          "/a: the store has not answered in 0 s",
          assertThrows(IOException.class, () -> late.read("/a")).getMessage());
    }
  }
}

package io.vdisk.backend.tap.xen;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Requests to the store and their answers, and the events of watches in between. Any thread may
 * ask. One thread reads all that comes; another one calls those who watch, one event after the
 * other, so that they may ask themselves. A path that changes again before its watcher was called
 * is told of once.
 *
 * <p>When the connection ends, by either side or because what comes makes no sense, all requests
 * fail, those that are waited for too.
 */
final class StoreConnection implements Closeable {
  private record Asked(StoreOperation operation, CompletableFuture<StoreMessage> answer) {}

  private record Listener(Consumer<String> body, boolean isOfPaths) {}

  private record Event(Consumer<String> listener, String path, boolean isLast) {}

  private static final Event END = new Event(path -> {}, "", true);

  private final StoreChannel channel;
  private final long timeoutSeconds;
  private final Map<Integer, Asked> waiting = new ConcurrentHashMap<>();
  private final Map<String, Listener> listeners = new ConcurrentHashMap<>();
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  /** Those that nobody was told of yet: so often as a guest likes something changes. */
  private final Set<Event> untold = ConcurrentHashMap.newKeySet();

  /** Held while a message is written, and while its number is made. */
  private final Object sending = new Object();

  /** Held while watches are asked for: the kernel's device answers these without their number. */
  private final Object watching = new Object();

  private final CompletableFuture<IOException> ended = new CompletableFuture<>();
  private int lastRequest; // under sending
  private volatile int watchRequest;

  private StoreConnection(StoreChannel channel, long timeoutSeconds) {
    this.channel = channel;
    this.timeoutSeconds = timeoutSeconds;
  }

  /**
   * Begins to read.
   *
   * @param channel owned from now on
   * @param timeoutSeconds after which a request that has no answer ends the connection
   */
  static StoreConnection begin(StoreChannel channel, long timeoutSeconds) {
    StoreConnection connection = new StoreConnection(channel, timeoutSeconds);
    start("reader of Xen's store", connection::readAll);
    start("watcher of Xen's store", connection::dispatch);
    return connection;
  }

  private static void start(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Completed when the connection has ended, with the reason. */
  CompletableFuture<IOException> ended() {
    return ended;
  }

  /**
   * Asks, and waits.
   *
   * @param what the request is about, for the message of an error
   */
  byte[] ask(StoreOperation operation, int transaction, byte[] payload, String what)
      throws IOException {
    if (!operation.isOfWatches()) {
      return answered(operation, transaction, payload, what);
    }
    synchronized (watching) {
      return answered(operation, transaction, payload, what);
    }
  }

  private byte[] answered(StoreOperation operation, int transaction, byte[] payload, String what)
      throws IOException {
    if (payload.length > StoreMessage.MOST_SENT_BYTES) {
      throw new StoreException(
          StoreException.E2BIG,
          what + ": " + payload.length + " bytes are more than the store takes");
    }
    Asked asked = new Asked(operation, new CompletableFuture<>());
    int request = send(asked, transaction, payload);
    try {
      return checked(awaited(asked, what), operation, what);
    } finally {
      waiting.remove(request);
    }
  }

  private int send(Asked asked, int transaction, byte[] payload) throws IOException {
    synchronized (sending) {
      lastRequest = lastRequest == Integer.MAX_VALUE ? 1 : lastRequest + 1;
      int request = lastRequest;
      waiting.put(request, asked);
      if (asked.operation().isOfWatches()) {
        watchRequest = request;
      }
      IOException reason = ended.getNow(null);
      if (reason != null) {
        waiting.remove(request);
        // One of its own for each: who asks again on the way out of the first one adds the second.
        throw new StoreException(StoreException.EIO, String.valueOf(reason.getMessage()), reason);
      }
      try {
        channel.write(
            new StoreMessage(asked.operation().code(), request, transaction, payload).encode());
      } catch (IOException e) {
        waiting.remove(request);
        throw e;
      }
      return request;
    }
  }

  private StoreMessage awaited(Asked asked, String what) throws IOException {
    try {
      return asked.answer().get(timeoutSeconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw failure(what, e.getCause());
    } catch (TimeoutException e) {
      StoreException late =
          new StoreException(
              StoreException.EIO,
              what + ": the store has not answered in " + timeoutSeconds + " s",
              e);
      end(late);
      throw late;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException(StoreException.EIO, what + ": interrupted", e);
    }
  }

  private static StoreException failure(String what, @Nullable Throwable cause) {
    String reason = cause == null ? "the connection ended" : String.valueOf(cause.getMessage());
    StoreException failure = new StoreException(StoreException.EIO, what + ": " + reason);
    failure.initCause(cause);
    return failure;
  }

  private static byte[] checked(StoreMessage answer, StoreOperation operation, String what)
      throws StoreException {
    if (answer.type() == StoreOperation.ERROR.code()) {
      String name = StoreText.value(answer.payload(), what + ": the name of its error");
      throw new StoreException(
          StoreText.shown(name), what + ": the store says " + StoreText.shown(name));
    }
    if (answer.type() != operation.code()) {
      throw new StoreException(
          StoreException.EPROTO,
          what + ": the store answers " + operation + " with a message of type " + answer.type());
    }
    return answer.payload();
  }

  /**
   * Whom to call for events with this token, from now on.
   *
   * @param isOfPaths whether it matters which path changed
   */
  void listen(String token, Consumer<String> listener, boolean isOfPaths) {
    listeners.put(token, new Listener(listener, isOfPaths));
  }

  void forget(String token) {
    listeners.remove(token);
  }

  private void readAll() {
    try {
      ByteBuffer header = ByteBuffer.allocate(StoreMessage.HEADER_BYTES);
      while (fill(header.clear())) {
        ByteBuffer payload = ByteBuffer.allocate(StoreMessage.length(header.flip()));
        if (!fill(payload)) {
          throw new StoreException(StoreException.EPROTO, "the store ended within a message");
        }
        accept(StoreMessage.of(header, payload.array()));
      }
      end(new StoreException(StoreException.EIO, "the connection to Xen's store has ended"));
    } catch (IOException e) {
      end(e);
    } catch (RuntimeException | Error e) {
      end(new StoreException(StoreException.EIO, "the reader of Xen's store failed: " + e, e));
    }
  }

  /** Reads until the buffer is full; false if there was nothing. */
  private boolean fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) == 0) {
        if (buffer.position() > 0) {
          throw new StoreException(StoreException.EPROTO, "the store ended within a message");
        }
        return false;
      }
    }
    return true;
  }

  private void accept(StoreMessage message) throws StoreException {
    Optional<StoreOperation> operation = StoreOperation.of(message.type());
    if (operation.equals(Optional.of(StoreOperation.WATCH_EVENT))) {
      event(message);
      return;
    }
    boolean isNumberless =
        message.request() == 0 && operation.map(StoreOperation::isOfWatches).orElse(false);
    Asked asked = waiting.get(isNumberless ? watchRequest : message.request());
    if (asked != null) { // else it was given up
      asked.answer().complete(message);
    }
  }

  private void event(StoreMessage message) throws StoreException {
    var texts = StoreText.list(message.payload(), "an event of the store");
    if (texts.size() < 2) {
      throw new StoreException(StoreException.EPROTO, "an event of the store has no path or token");
    }
    Listener listener = listeners.get(texts.get(1));
    if (listener != null) { // else its watch was just ended
      String path = listener.isOfPaths() ? texts.get(0) : "";
      Event event = new Event(listener.body(), path, false);
      if (untold.add(event)) {
        events.add(event);
      }
    }
  }

  private void dispatch() {
    try {
      for (Event event = events.take(); !event.isLast(); event = events.take()) {
        untold.remove(event); // before it is told: what changes from now on is another one
        event.listener().accept(event.path());
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts the watcher", e);
    } catch (RuntimeException | Error e) {
      end(new StoreException(StoreException.EIO, "a watcher of Xen's store failed: " + e, e));
    }
  }

  private void end(IOException reason) {
    synchronized (sending) {
      if (!ended.complete(reason)) {
        return;
      }
    }
    waiting.values().forEach(asked -> asked.answer().completeExceptionally(reason));
    events.add(END);
    try {
      channel.close();
    } catch (IOException e) {
      reason.addSuppressed(e);
    }
  }

  @Override
  public void close() {
    end(new StoreException(StoreException.EIO, "the connection to Xen's store was closed"));
  }
}

package io.vdisk.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * A client of a {@link SimulatedXenStore}. One thread serves it; any thread tells it of changes.
 */
final class XenStoreSession implements Closeable {
  private static final int HEADER_BYTES = 16;
  private static final int MOST_BYTES = 4096;

  // Types of messages: xs_wire.h.
  private static final int WATCH_EVENT = 15;
  private static final int ERROR = 16;

  private record Watch(String path, String token) {}

  private record Transaction(long since, SortedMap<String, String> nodes, List<String> changes) {}

  private final SimulatedXenStore store;
  private final SocketChannel client;
  private final Map<Integer, Transaction> transactions = new HashMap<>();
  private final List<Watch> watches = new ArrayList<>(); // guarded by itself
  private int lastTransaction;

  XenStoreSession(SimulatedXenStore store, SocketChannel client) {
    this.store = store;
    this.client = client;
  }

  void serve() {
    try (client) {
      ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.nativeOrder());
      while (fill(header.clear())) {
        int length = header.getInt(12);
        ByteBuffer payload = ByteBuffer.allocate(length);
        if (length > MOST_BYTES || !fill(payload)) {
          return; // as xenstored: hung up on
        }
        answer(header.getInt(0), header.getInt(4), header.getInt(8), payload.array());
      }
    } catch (IOException e) {
      assert e.getMessage() != null || !client.isOpen();
    } finally {
      store.leave(this);
    }
  }

  private boolean fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (client.read(buffer) < 0) {
        return false;
      }
    }
    return true;
  }

  private void answer(int type, int request, int transaction, byte[] payload) throws IOException {
    String[] texts = new String(payload, UTF_8).split("\0", -1);
    String answer;
    synchronized (store) { // no event overtakes the answer to its cause
      try {
        answer = carryOut(type, transaction, texts);
      } catch (IllegalArgumentException e) {
        send(ERROR, request, transaction, e.getMessage() + "\0");
        return;
      }
      send(type, request, transaction, answer);
      if (type == 4) {
        event(texts[0], texts[1]);
      }
    }
  }

  private String carryOut(int type, int transaction, String[] texts) {
    return switch (type) {
      case 1 -> directory(transaction, texts[0]);
      case 2 -> node(transaction, texts[0]);
      case 3 -> {
        String unused = node(transaction, texts[0]);
        yield String.join("\0", store.permissions(texts[0])) + "\0";
      }
      case 4 -> watch(new Watch(texts[0], texts[1]), true);
      case 5 -> watch(new Watch(texts[0], texts[1]), false);
      case 6 -> begin();
      case 7 -> end(transaction, texts[0]);
      case 10 -> "/local/domain/" + texts[0] + "\0";
      case 11 -> change(transaction, checked(texts[0]) + "=" + texts[1]);
      case 12 ->
          nodes(transaction).containsKey(checked(texts[0]))
              ? "OK\0"
              : change(transaction, texts[0] + "=");
      case 13 -> remove(transaction, texts[0]);
      case 14 -> permit(transaction, texts);
      case 17 -> (store.isAlive(Integer.parseInt(texts[0])) ? "T" : "F") + "\0";
      case 22 -> part(transaction, texts[0], Integer.parseInt(texts[1]));
      default -> throw new IllegalArgumentException("ENOSYS");
    };
  }

  private static String checked(String path) {
    if (!path.matches("(/[-A-Za-z0-9_@]+)+")) {
      throw new IllegalArgumentException("EINVAL");
    }
    return path;
  }

  private SortedMap<String, String> nodes(int transaction) {
    return transaction == 0 ? store.copy() : running(transaction).nodes();
  }

  private Transaction running(int transaction) {
    Transaction running = transactions.get(transaction);
    if (running == null) {
      throw new IllegalArgumentException("ENOENT");
    }
    return running;
  }

  private String node(int transaction, String path) {
    String value = nodes(transaction).get(path.equals("domid") ? "/local/domain/0/domid" : path);
    if (value == null) {
      throw new IllegalArgumentException("ENOENT");
    }
    return value;
  }

  private String names(int transaction, String path) {
    String unused = node(transaction, path);
    StringBuilder names = new StringBuilder();
    for (String node : nodes(transaction).keySet()) {
      if (!node.equals("/") && SimulatedXenStore.above(node).equals(path)) {
        names.append(node.substring(node.lastIndexOf('/') + 1)).append('\0');
      }
    }
    return names.toString();
  }

  private String directory(int transaction, String path) {
    String names = names(transaction, path);
    if (names.length() > MOST_BYTES) {
      throw new IllegalArgumentException("E2BIG");
    }
    return names;
  }

  /** From a byte of the list on, as much as fits; the last part ends in an empty name. */
  private String part(int transaction, String path, int offset) {
    String names = names(transaction, path);
    int end = Math.min(names.length(), offset + MOST_BYTES / 2);
    String part = names.substring(offset, names.lastIndexOf('\0', end - 1) + 1);
    boolean isLast = offset + part.length() == names.length();
    return store.generation() + "\0" + part + (isLast ? "\0" : "");
  }

  private String watch(Watch watch, boolean isNew) {
    synchronized (watches) {
      if (isNew) {
        watches.add(watch);
      } else if (!watches.remove(watch)) {
        throw new IllegalArgumentException("ENOENT");
      }
    }
    return "OK\0";
  }

  private String begin() {
    lastTransaction++;
    synchronized (store) {
      transactions.put(
          lastTransaction, new Transaction(store.generation(), store.copy(), new ArrayList<>()));
    }
    return lastTransaction + "\0";
  }

  private String end(int transaction, String how) {
    Transaction ended = transactions.remove(transaction);
    if (ended == null) {
      throw new IllegalArgumentException("ENOENT");
    }
    if (how.equals("T") && !store.commit(ended.since(), ended.nodes(), ended.changes())) {
      throw new IllegalArgumentException("EAGAIN");
    }
    return "OK\0";
  }

  private String change(int transaction, String change) {
    if (transaction == 0) {
      store.change(change);
    } else {
      Transaction running = running(transaction);
      SimulatedXenStore.apply(running.nodes(), change);
      running.changes().add(change);
    }
    return "OK\0";
  }

  private String remove(int transaction, String path) {
    if (!nodes(transaction).containsKey(SimulatedXenStore.above(path))) {
      throw new IllegalArgumentException("ENOENT");
    }
    return nodes(transaction).containsKey(path) ? change(transaction, "-" + path) : "OK\0";
  }

  private String permit(int transaction, String[] texts) {
    String unused = node(transaction, texts[0]);
    store.setPermissions(texts[0], List.of(Arrays.copyOfRange(texts, 1, texts.length - 1)));
    return "OK\0";
  }

  /** A node was changed: whoever watches it, or one above or, if it was removed, below, hears. */
  void tell(String path) {
    synchronized (watches) {
      for (Watch watch : watches) {
        boolean isBelow = path.equals(watch.path()) || path.startsWith(watch.path() + "/");
        boolean isAbove = watch.path().startsWith(path + "/") && store.find(watch.path()).isEmpty();
        if (isBelow || isAbove) {
          event(isBelow ? path : watch.path(), watch.token());
        }
      }
    }
  }

  private void event(String path, String token) {
    try {
      send(WATCH_EVENT, 0, 0, path + "\0" + token + "\0");
    } catch (IOException e) {
      assert e.getMessage() != null || !client.isOpen(); // the client has gone
    }
  }

  private void send(int type, int request, int transaction, String payload) throws IOException {
    byte[] bytes = payload.getBytes(UTF_8);
    ByteBuffer message =
        ByteBuffer.allocate(HEADER_BYTES + bytes.length).order(ByteOrder.nativeOrder());
    message.putInt(type).putInt(request).putInt(transaction).putInt(bytes.length).put(bytes);
    message.flip();
    synchronized (client) {
      while (message.hasRemaining()) {
        client.write(message);
      }
    }
  }

  @Override
  public void close() throws IOException {
    client.close();
  }
}

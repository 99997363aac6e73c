package io.vdisk.testkit;

import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A xenstored in memory, behind a Unix socket that speaks its wire protocol ({@code docs/misc/
 * xenstore.txt}): watches, permissions, and transactions that fail with EAGAIN if anything was
 * changed meanwhile. It is written from the protocol alone, and keeps a list of what was written.
 * Any thread may call.
 */
public final class SimulatedXenStore implements Closeable {
  /** Longer than anything takes that a test waits for. */
  private static final long MOST_SECONDS = 30;

  private final ServerSocketChannel server;
  private final Path socket;
  private final Set<XenStoreSession> sessions = ConcurrentHashMap.newKeySet();

  // Guarded by this.
  private SortedMap<String, String> nodes = new TreeMap<>();
  private final SortedMap<String, List<String>> permissions = new TreeMap<>();
  private final Set<Integer> deadDomains = new TreeSet<>();
  private final List<String> written = new ArrayList<>();
  private long generation = 1;
  private int disturbances;

  private SimulatedXenStore(ServerSocketChannel server, Path socket) {
    this.server = server;
    this.socket = socket;
    nodes.put("/", "");
  }

  /** An empty store whose socket is made in a folder. */
  public static SimulatedXenStore open(Path folder) throws IOException {
    Path socket = folder.resolve("xenstored");
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    SimulatedXenStore store = new SimulatedXenStore(server, socket);
    start(store::acceptAll, "simulated xenstored");
    return store;
  }

  static void start(Runnable body, String name) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  private void acceptAll() {
    try {
      while (true) {
        SocketChannel client = server.accept();
        XenStoreSession session = new XenStoreSession(this, client);
        sessions.add(session);
        start(session::serve, "session of the simulated xenstored");
      }
    } catch (IOException e) {
      assert !server.isOpen();
    }
  }

  void leave(XenStoreSession session) {
    sessions.remove(session);
  }

  /** The socket. */
  public Path socket() {
    return socket;
  }

  /** What a node holds; empty if there is none. */
  public synchronized Optional<String> find(String path) {
    return Optional.ofNullable(nodes.get(path));
  }

  /** Writes a node, as somebody else would; this is not in the list of what was written. */
  public synchronized void write(String path, String value) {
    set(nodes, path, value);
    changed(List.of(path));
  }

  /** Writes several nodes below a path, as {@code name=value}, in one transaction. */
  public synchronized void write(String path, List<String> assignments) {
    List<String> paths = new ArrayList<>();
    for (String assignment : assignments) {
      int equals = assignment.indexOf('=');
      String node = path + "/" + assignment.substring(0, equals);
      set(nodes, node, assignment.substring(equals + 1));
      paths.add(node);
    }
    changed(paths);
  }

  /** Removes a node and all below it, as somebody else would. */
  public synchronized void remove(String path) {
    cut(nodes, path);
    changed(List.of(path));
  }

  /** A domain has ended. */
  public synchronized void endDomain(int domain) {
    deadDomains.add(domain);
    sessions.forEach(session -> session.tell("@releaseDomain"));
  }

  /** The next transactions end with EAGAIN. */
  public synchronized void disturb(int transactions) {
    disturbances = transactions;
  }

  /** What clients wrote since the last call, in order: {@code path=value}, and {@code -path}. */
  public synchronized List<String> takeWritten() {
    List<String> all = List.copyOf(written);
    written.clear();
    return all;
  }

  /** Who may do what with a node, or the nearest one above it of which that was said. */
  public synchronized List<String> permissions(String path) {
    for (String at = path; ; at = above(at)) {
      List<String> said = permissions.get(at);
      if (said != null || at.equals("/")) {
        return said == null ? List.of("n0") : said;
      }
    }
  }

  /** Returns when a node holds a value; null: when it is gone. */
  public synchronized void await(String path, @Nullable String value) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
    while (!Optional.ofNullable(value).equals(find(path))) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw new AssertionError(path + " is " + find(path) + ", not " + value + "; " + nodes);
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  synchronized long generation() {
    return generation;
  }

  synchronized SortedMap<String, String> copy() {
    return new TreeMap<>(nodes);
  }

  synchronized boolean isAlive(int domain) {
    return !deadDomains.contains(domain);
  }

  synchronized void setPermissions(String path, List<String> said) {
    permissions.put(path, said);
  }

  /** Writes or removes one node, not in a transaction. */
  synchronized void change(String change) {
    apply(nodes, change);
    written.add(change);
    changed(List.of(pathOf(change)));
  }

  /** Ends a transaction; false if anybody changed anything meanwhile. */
  synchronized boolean commit(long since, SortedMap<String, String> result, List<String> changes) {
    if (disturbances > 0) {
      disturbances--;
      return false;
    }
    if (changes.isEmpty()) {
      return true;
    }
    if (since != generation) {
      return false;
    }
    nodes = result;
    written.addAll(changes);
    changed(changes.stream().map(SimulatedXenStore::pathOf).toList());
    return true;
  }

  private void changed(List<String> paths) {
    generation++;
    for (String path : paths) {
      sessions.forEach(session -> session.tell(path));
    }
    notifyAll();
  }

  private static String pathOf(String change) {
    return change.startsWith("-") ? change.substring(1) : change.split("=", 2)[0];
  }

  /** A change is {@code path=value} or {@code -path}. */
  static void apply(SortedMap<String, String> nodes, String change) {
    if (change.startsWith("-")) {
      cut(nodes, change.substring(1));
    } else {
      String[] both = change.split("=", 2);
      set(nodes, both[0], both[1]);
    }
  }

  private static void set(SortedMap<String, String> nodes, String path, String value) {
    for (String at = above(path); !nodes.containsKey(at); at = above(at)) {
      nodes.put(at, "");
    }
    nodes.put(path, value);
  }

  private static void cut(SortedMap<String, String> nodes, String path) {
    nodes.keySet().removeIf(one -> one.equals(path) || one.startsWith(path + "/"));
  }

  static String above(String path) {
    int slash = path.lastIndexOf('/');
    return slash <= 0 ? "/" : path.substring(0, slash);
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (XenStoreSession session : sessions) {
      session.close();
    }
  }
}

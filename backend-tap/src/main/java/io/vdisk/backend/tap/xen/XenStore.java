package io.vdisk.backend.tap.xen;

import io.vdisk.file.host.HostSystem;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * A client of Xen's store: by the socket of xenstored, where that runs in this domain, else by the
 * kernel's device. Any thread may call; a listener may, too.
 *
 * <p>Watches and transactions end with the connection. RESET_WATCHES is never sent: behind the
 * kernel's device it would end the watches of the kernel itself.
 */
public final class XenStore extends StoreNodes implements Closeable {
  /** The variable that names another socket, as for Xen's own tools. */
  public static final String VARIABLE = "XENSTORED_PATH";

  private static final List<Path> SOCKETS =
      List.of(Path.of("/run/xenstored/socket"), Path.of("/var/run/xenstored/socket"));

  private static final Path DEVICE = Path.of("/dev/xen/xenbus");

  private static final long TIMEOUT_SECONDS = 60;

  /** How often a transaction is tried that others get in the way of. */
  private static final int MOST_ATTEMPTS = 100;

  private static final int NO_TRANSACTION = 0;

  private final AtomicLong watches = new AtomicLong();

  private XenStore(StoreConnection connection) {
    super(connection, NO_TRANSACTION);
  }

  /** What is done in a transaction, perhaps several times. */
  @FunctionalInterface
  public interface Body<T> {
    /** Reads and writes; what it returns counts if all was as if nobody else had been there. */
    T run(StoreNodes nodes) throws IOException;
  }

  /**
   * Connects to the store of this machine.
   *
   * @param environment where {@link #VARIABLE} may name a socket
   * @throws StoreException if there is none
   */
  public static XenStore open(Map<String, String> environment) throws IOException {
    String named = environment.getOrDefault(VARIABLE, "");
    if (!named.isEmpty()) {
      return open(Path.of(named));
    }
    for (Path socket : SOCKETS) {
      if (Files.exists(socket)) {
        return open(socket);
      }
    }
    if (!Files.exists(DEVICE)) {
      throw new StoreException(
          StoreException.ENOENT,
          "Xen's store is not here: there is neither " + SOCKETS.get(0) + " nor " + DEVICE);
    }
    Optional<HostSystem> system = HostSystem.installed();
    if (system.isEmpty()) {
      throw new StoreException(
          StoreException.ENOENT,
          DEVICE + " takes Java 22 or later, and native access for host-linux");
    }
    return begin(new StoreDevice(system.get().openDevice(DEVICE)));
  }

  /** Connects to the socket of a xenstored. */
  public static XenStore open(Path socket) throws IOException {
    return begin(StoreSocket.open(socket));
  }

  static XenStore begin(StoreChannel channel) {
    return begin(channel, TIMEOUT_SECONDS);
  }

  static XenStore begin(StoreChannel channel, long timeoutSeconds) {
    return new XenStore(StoreConnection.begin(channel, timeoutSeconds));
  }

  /**
   * Watches a node and all below it, or a special event such as {@code @releaseDomain}. The
   * listener is called once at once, and then with the path of each node that changed; always by
   * the same thread, one event after the other. It is called once for what changes several times
   * before it can be called.
   */
  public StoreWatch watch(String path, Consumer<String> listener) throws IOException {
    return watch(path, listener, true);
  }

  /**
   * The same for who looks for himself what changed. So a guest, which may make as many nodes below
   * its own as it likes, keeps one event waiting at most.
   */
  StoreWatch watch(String path, Runnable listener) throws IOException {
    return watch(path, changed -> listener.run(), false);
  }

  private StoreWatch watch(String path, Consumer<String> listener, boolean isOfPaths)
      throws IOException {
    String token = "vdisk" + watches.incrementAndGet();
    StoreWatch watch = new StoreWatch(this, StoreText.path(path), token);
    connection().listen(token, listener, isOfPaths);
    boolean isMade = false;
    try {
      ask(StoreOperation.WATCH, StoreText.terminated(path, token), path);
      isMade = true;
      return watch;
    } finally {
      if (!isMade) {
        connection().forget(token);
      }
    }
  }

  /**
   * Reads and writes as if nobody else did meanwhile: again, if somebody did.
   *
   * @throws StoreException with EAGAIN if somebody did each time
   */
  public <T> T transact(Body<T> body) throws IOException {
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      int transaction = start();
      T result;
      try {
        result = body.run(new StoreNodes(connection(), transaction));
      } catch (IOException | RuntimeException e) {
        abandon(transaction, e);
        throw e;
      }
      if (end(transaction, "T")) {
        return result;
      }
    }
    throw new StoreException(
        StoreException.EAGAIN,
        "others changed the same nodes of the store " + MOST_ATTEMPTS + " times in a row");
  }

  private int start() throws IOException {
    String what = "a transaction";
    byte[] answer = ask(StoreOperation.TRANSACTION_START, StoreText.terminated(""), what);
    String number = StoreText.value(answer, what);
    try {
      int transaction = Integer.parseUnsignedInt(number);
      if (transaction != NO_TRANSACTION) {
        return transaction;
      }
    } catch (NumberFormatException e) {
      // as 0
    }
    throw new StoreException(
        StoreException.EPROTO, "the store numbers a transaction '" + StoreText.shown(number) + "'");
  }

  private void abandon(int transaction, Exception reason) {
    try {
      boolean unused = end(transaction, "F");
    } catch (IOException e) {
      reason.addSuppressed(e);
    }
  }

  /** False if others were in the way. */
  private boolean end(int transaction, String how) throws IOException {
    try {
      connection()
          .ask(
              StoreOperation.TRANSACTION_END,
              transaction,
              StoreText.terminated(how),
              "the end of a transaction");
      return true;
    } catch (StoreException e) {
      if (e.is(StoreException.EAGAIN)) {
        return false;
      }
      throw e;
    }
  }

  /** Where the nodes of a domain are: {@code /local/domain/N}. */
  public String domainPath(int domain) throws IOException {
    String what = "the path of domain " + domain;
    String path =
        StoreText.value(
            ask(
                StoreOperation.GET_DOMAIN_PATH,
                StoreText.terminated(Integer.toString(domain)),
                what),
            what);
    if (!StoreText.isPath(path)) {
      throw new StoreException(
          StoreException.EPROTO, what + " is '" + StoreText.shown(path) + "', no path");
    }
    return path;
  }

  /** The domain in which this program runs. */
  public int ownDomain() throws IOException {
    try {
      String number =
          StoreText.value(
              ask(StoreOperation.READ, StoreText.terminated("domid"), "domid"), "domid");
      return Integer.parseInt(number);
    } catch (NumberFormatException e) {
      return 0;
    } catch (StoreException e) {
      if (e.is(StoreException.ENOENT) || e.is(StoreException.EINVAL)) {
        return 0; // a store that has no relative paths for its sockets is in domain 0
      }
      throw e;
    }
  }

  /** Whether a domain is alive, and speaks with the store. */
  public boolean isIntroduced(int domain) throws IOException {
    String what = "domain " + domain;
    byte[] answer =
        ask(
            StoreOperation.IS_DOMAIN_INTRODUCED,
            StoreText.terminated(Integer.toString(domain)),
            what);
    return StoreText.value(answer, what).equals("T");
  }

  /** Completed when the connection has ended, with the reason. */
  public CompletableFuture<IOException> ended() {
    return connection().ended().copy();
  }

  void unwatch(String path, String token) throws IOException {
    connection().forget(token);
    ask(StoreOperation.UNWATCH, StoreText.terminated(path, token), path);
  }

  @Override
  public void close() {
    connection().close();
  }
}

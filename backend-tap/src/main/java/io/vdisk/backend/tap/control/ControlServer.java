package io.vdisk.backend.tap.control;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.LastClosings;
import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * The control socket of a tapdisk, {@code ctl<pid>}: each connection brings one request and takes
 * one answer. Whoever is slow, leaves in the middle or sends nonsense keeps nobody else waiting.
 *
 * <p>{@link #run()} serves until the last disk has been detached, until a client says exit, or
 * until {@link #close}, which any thread may call; then it answers what it had begun, drains,
 * flushes and closes the disks that are left, all at the same time, and removes the socket.
 */
public final class ControlServer implements Closeable {
  /** TD_CTL_RECV_TIMEOUT and TD_CTL_SEND_TIMEOUT. */
  public static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** TD_CTL_SOCK_BACKLOG. */
  private static final int BACKLOG = 32;

  private final Path socket;
  private final Generation generation;
  private final AttachedDisks disks;
  private final GuestRings rings;
  private final ServerSocketChannel server;
  private final Selector selector;
  private final SelectionKey accepting;
  private final AcceptPause pause;
  private final Connections connections;
  private final Answers answers;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean isStopping;

  private ControlServer(
      Path socket,
      Generation generation,
      Duration timeout,
      AttachedDisks disks,
      GuestRings rings,
      RequestHandler handler,
      ServerSocketChannel server)
      throws IOException {
    this.socket = socket;
    this.generation = generation;
    this.connections = new Connections(timeout.toNanos());
    this.disks = disks;
    this.rings = rings;
    this.server = server;
    this.selector = Selector.open();
    this.answers = new Answers(handler, generation, connections, selector::wakeup, this::exit);
    server.configureBlocking(false);
    this.accepting = server.register(selector, SelectionKey.OP_ACCEPT);
    this.pause = new AcceptPause(socket);
  }

  /**
   * Makes the socket of a process. Clients may connect from now on.
   *
   * @param timeout how long a client may take to send its request, and to take its answer
   * @param rings the server's from now on
   * @throws DiskException if the folder or the socket cannot be made
   */
  public static ControlServer open(
      ControlFolder folder,
      long pid,
      Generation generation,
      Duration timeout,
      Disks disks,
      GuestRings rings)
      throws IOException {
    folder.prepare();
    Path socket = folder.socket(pid);
    AttachedDisks attached = new AttachedDisks(new Minors(folder), disks);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      // What lies there is of a dead process that had our number.
      Files.deleteIfExists(socket);
      server.bind(UnixDomainSocketAddress.of(socket), BACKLOG);
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      RequestHandler handler = new RequestHandler(pid, generation, attached, rings);
      return new ControlServer(socket, generation, timeout, attached, rings, handler, server);
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new DiskException(
          Errno.EIO, "the socket " + socket + " cannot be made: " + e.getMessage(), e);
    }
  }

  /** The socket. */
  public Path socket() {
    return socket;
  }

  /** Serves, and at the end waits for disks for {@link LastClosings#PATIENCE}. */
  public void run() throws IOException {
    run(LastClosings.PATIENCE);
  }

  /**
   * Serves. Called once.
   *
   * @param patience for how long disks that are left open are waited for at the end
   * @throws IOException if one of them could not be closed well, or in that time
   */
  public void run(Duration patience) throws IOException {
    try {
      while (!isStopping) {
        step(connections.millisLeft());
        if (disks.isLastGone()) {
          isStopping = true;
        }
      }
      end(disks.closeAll(patience));
    } finally {
      rings.close();
      release();
      ended.countDown();
    }
  }

  /**
   * Does what can be done.
   *
   * @param most milliseconds to wait for that; 0: for ever
   */
  private void step(long most) throws IOException {
    selector.select(this::ready, most);
    answers.giveFinished();
    connections.dropLate();
    accepting.interestOps(canAccept() ? SelectionKey.OP_ACCEPT : 0);
  }

  private boolean canAccept() {
    return !isStopping && !connections.isFull();
  }

  /** While disks are being closed, those get their answers whose requests were begun. */
  private void end(LastClosings closings) throws IOException {
    connections.dropReading();
    for (long left = closings.millisLeft();
        left > 0 && !connections.isEmpty();
        left = closings.millisLeft()) {
      long mostForClients = connections.millisLeft();
      step(mostForClients == 0 ? left : Math.min(left, mostForClients));
      connections.dropReading();
    }
    answers.endWorkers();
    closings.await();
  }

  private void ready(SelectionKey key) {
    if (key.attachment() instanceof Connection connection) {
      connections.attempt(connection, () -> answers.proceed(connection));
    } else {
      accept();
    }
  }

  private void accept() {
    try {
      SocketChannel channel = server.accept();
      if (channel != null) {
        channel.configureBlocking(false);
        SelectionKey key = channel.register(selector, 0);
        Connection connection = new Connection(channel, key, generation);
        key.attach(connection);
        connections.add(connection);
        pause.end();
      }
    } catch (IOException e) {
      pause.await(e); // clients that are in can wait for so long, too
    }
  }

  /** A client says exit; false if there are disks. */
  private boolean exit() {
    if (!disks.isEmpty()) {
      return false;
    }
    isStopping = true;
    return true;
  }

  private void release() throws IOException {
    List<Closeable> all = List.of(selector, server, () -> Files.deleteIfExists(socket));
    for (Closeable one : all) {
      one.close();
    }
  }

  /**
   * Makes {@link #run()} end, and waits until it has. Again is harmless, but not before run was
   * called.
   */
  @Override
  public void close() {
    isStopping = true;
    selector.wakeup();
    Uninterruptibles.awaitUninterruptibly(ended);
  }
}

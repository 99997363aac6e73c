package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * Requests to a daemon from a socket, whether there is Xen's store or not: a command sends them. A
 * request is one line of UTF-8, at most 4,095 bytes:
 *
 * <pre>
 * attach r|w DOMAIN DEVICE DISK      list      detach MINOR
 * </pre>
 *
 * The answer is a line with an error number, 0 for none, and a sentence, or lines of a list.
 */
public final class DaemonSocket implements AttachSource {
  private static final int MAX_LINE = 4096;
  private static final int WORKERS = 4;

  private final Path path;
  private final ServerSocketChannel server;
  private final Duration timeout;
  private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS, daemons());
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(daemons());

  private DaemonSocket(Path path, ServerSocketChannel server, Duration timeout) {
    this.path = path;
    this.server = server;
    this.timeout = timeout;
  }

  private static ThreadFactory daemons() {
    return task -> {
      Thread thread = new Thread(task, "request to the daemon");
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Makes the socket in a folder; one that is there is replaced. */
  public static DaemonSocket open(Path folder, Duration timeout) throws IOException {
    Path path = path(folder);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      Files.deleteIfExists(path);
      server.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      return new DaemonSocket(path, server, timeout);
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new DiskException(
          Errno.EIO, "the socket " + path + " cannot be made: " + e.getMessage(), e);
    }
  }

  /** The socket in a folder of pipes. */
  public static Path path(Path folder) {
    return folder.resolve("blktapctrl.socket");
  }

  @Override
  public void run(BlktapDaemon daemon) throws IOException {
    AcceptPause pause = new AcceptPause(path);
    try {
      while (server.isOpen()) {
        letIn(daemon, pause);
      }
    } finally {
      workers.shutdown();
      clock.shutdown();
      close();
    }
  }

  private void letIn(BlktapDaemon daemon, AcceptPause pause) {
    try {
      begin(server.accept(), daemon);
      pause.end();
    } catch (ClosedChannelException e) {
      assert !server.isOpen();
    } catch (IOException e) {
      pause.await(e);
    }
  }

  private void begin(SocketChannel client, BlktapDaemon daemon) throws IOException {
    try {
      workers.execute(() -> serve(client, daemon));
    } catch (OutOfMemoryError e) { // the host lets no further thread be made
      try (client) {
        throw new IOException("no thread can serve a client", e);
      }
    }
  }

  private void serve(SocketChannel client, BlktapDaemon daemon) {
    try (client) {
      Future<?> late = hangUpLater(client);
      Optional<String> line = line(client);
      late.cancel(false);
      if (line.isPresent()) {
        byte[] answer = answer(line.get(), daemon).getBytes(StandardCharsets.UTF_8);
        Future<?> deaf = hangUpLater(client);
        client.write(ByteBuffer.wrap(answer));
        deaf.cancel(false);
      }
    } catch (IOException e) {
      // It has gone, or was late.
      assert !client.isOpen();
    } catch (RejectedExecutionException e) {
      assert clock.isShutdown(); // it came when we were about to end
    }
  }

  /** Ends what a client has us wait for. */
  private Future<?> hangUpLater(SocketChannel client) {
    return clock.schedule(() -> closeQuietly(client), timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static void closeQuietly(SocketChannel client) {
    try {
      client.close();
    } catch (IOException e) {
      assert !client.isOpen();
    }
  }

  /** A whole line; empty if it does not come, or is too long. */
  private static Optional<String> line(SocketChannel client) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(MAX_LINE);
    while (bytes.hasRemaining() && client.read(bytes) >= 0) {
      if (bytes.position() > 0 && bytes.get(bytes.position() - 1) == '\n') {
        return Optional.of(
            new String(bytes.array(), 0, bytes.position() - 1, StandardCharsets.UTF_8));
      }
    }
    return Optional.empty();
  }

  private static String answer(String line, BlktapDaemon daemon) {
    try {
      return carryOut(line.split(" ", 5), daemon);
    } catch (DiskException e) {
      return e.number() + " " + e.sentence() + "\n";
    }
  }

  private static String carryOut(String[] words, BlktapDaemon daemon) throws DiskException {
    if (words[0].equals("list") && words.length == 1) {
      StringBuilder lines = new StringBuilder("0 \n");
      daemon.list().forEach(one -> lines.append(text(one)).append('\n'));
      return lines.toString();
    }
    if (words[0].equals("detach") && words.length == 2) {
      daemon.detach(number(words[1]));
      return "0 \n";
    }
    if (words[0].equals("attach") && words.length == 5 && words[1].matches("[rw]")) {
      BlktapDaemon.Attached one =
          daemon.attach(words[4], words[1].equals("r"), number(words[2]), number(words[3]));
      return "0 " + text(one) + "\n";
    }
    throw new DiskException(Errno.EINVAL, "the daemon does not know '" + words[0] + "'");
  }

  private static String text(BlktapDaemon.Attached one) {
    return ("minor=" + one.minor() + " pid=" + one.pid())
        + (" sectors=" + one.info().sectors() + " args=" + one.name());
  }

  private static int number(String digits) throws DiskException {
    try {
      return Integer.parseInt(digits);
    } catch (NumberFormatException e) {
      throw new DiskException(Errno.EINVAL, "'" + digits + "' is no number", e);
    }
  }

  /**
   * Sends a request to the daemon of a folder.
   *
   * @return the answer, without the number
   * @throws DiskException if it is another number than 0, or there is no daemon
   */
  public static String ask(Path folder, String line) throws DiskException {
    Path socket = path(folder);
    byte[] request = (line + "\n").getBytes(StandardCharsets.UTF_8);
    if (request.length > MAX_LINE || line.indexOf('\n') >= 0) {
      throw new DiskException(Errno.ENAMETOOLONG, "the request is no short line");
    }
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      ByteBuffer bytes = ByteBuffer.wrap(request);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      String answer = rest(channel);
      if (!answer.endsWith("\n")) {
        throw new DiskException(
            Errno.ECONNRESET, "the blktapctrl at " + socket + " hung up before it had answered");
      }
      int space = answer.indexOf(' ');
      int number = number(answer.substring(0, Math.max(space, 0)));
      if (number != 0) {
        throw new AnsweredException(number, answer.substring(space + 1).strip());
      }
      return answer.substring(space + 1).stripLeading();
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(Errno.ECONNREFUSED, "no blktapctrl answers at " + socket, e);
    }
  }

  private static String rest(SocketChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(MAX_LINE);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (channel.read(bytes) >= 0) {
      all.write(bytes.array(), 0, bytes.position());
      bytes.clear();
    }
    return all.toString(StandardCharsets.UTF_8);
  }

  /** Removes the socket: whoever comes afterwards finds nobody. Again is harmless. */
  @Override
  public synchronized void close() throws IOException {
    if (server.isOpen()) {
      // The name goes first: an accept that waits takes whoever comes until it notices the end, and
      // afterwards the name may be another daemon's.
      try {
        Files.deleteIfExists(path);
      } finally {
        server.close();
      }
    }
  }
}

package io.vdisk.backend.tap;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/**
 * Where guests that are processes of this machine come with a ring in a file: a Unix stream socket.
 *
 * <p>A guest makes the file ({@link SharedFileLayout}), connects, and says the file's absolute
 * path. The server answers with an empty sentence, after which both sides ring, or with what is
 * wrong, and hangs up ({@link Bell}). Whoever may connect can have the server write into a file of
 * that form, so the rights on the socket's folder are the protection.
 *
 * <p>Any thread may call.
 */
public final class SharedFileListener implements Closeable {
  private static final Logger LOG = System.getLogger(SharedFileListener.class.getName());

  /** Who has not said its path after so long is hung up on. */
  private static final long GREETING_MILLISECONDS = 10_000;

  /** Greetings under way at a time; who comes meanwhile is hung up on. */
  private static final int MOST_GREETINGS = 16;

  /** Until guests are let in again, after the host let none. */
  private static final long PAUSE_NANOSECONDS = 100_000_000;

  /** The disk that guests come for. Any thread calls. */
  public interface Disk {
    /** What a guest is told. */
    DiskInfo info() throws IOException;

    /** Serves a guest; the transport is given away, whatever happens. */
    void serve(TapTransport guest) throws IOException;
  }

  private final Path path;
  private final ServerSocketChannel socket;
  private final Disk disk;
  private final Semaphore greetings = new Semaphore(MOST_GREETINGS);
  private final Thread thread;

  private SharedFileListener(Path path, ServerSocketChannel socket, Disk disk) {
    this.path = path;
    this.socket = socket;
    this.disk = disk;
    this.thread = new Thread(this::listen, "listener of " + path);
    thread.setDaemon(true);
  }

  /** Listens at this path, where nothing is yet. */
  public static SharedFileListener open(Path path, Disk disk) throws IOException {
    ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      socket.bind(UnixDomainSocketAddress.of(path));
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw new IOException("no socket can be made at " + path + ": " + e.getMessage(), e);
    }
    SharedFileListener listener = new SharedFileListener(path, socket, disk);
    listener.thread.start();
    return listener;
  }

  /** Listens no longer, and removes the socket. Guests that are served stay so. */
  @Override
  public void close() throws IOException {
    socket.close();
    Uninterruptibles.joinUninterruptibly(thread);
    Files.deleteIfExists(path);
  }

  private void listen() {
    boolean mustTell = true;
    for (int number = 1; socket.isOpen(); number++) {
      try {
        letIn(socket.accept(), path.getFileName() + ", guest " + number);
        mustTell = true;
      } catch (ClosedChannelException e) {
        // closed: what was asked for
      } catch (IOException e) { // of descriptors, say, which others will give back
        if (mustTell) {
          LOG.log(Level.WARNING, path + ": no guest is let in for now", e);
        }
        mustTell = false;
        LockSupport.parkNanos(PAUSE_NANOSECONDS);
      }
    }
  }

  private void letIn(SocketChannel guest, String name) throws IOException {
    if (!greetings.tryAcquire()) {
      guest.close();
      return;
    }
    Thread greeter = new Thread(() -> greet(guest, name), name);
    greeter.setDaemon(true);
    try {
      greeter.start();
    } catch (OutOfMemoryError e) { // the host lets no further thread be made
      greetings.release();
      try (guest) {
        throw new IOException("no thread can greet " + name, e);
      }
    }
  }

  private void greet(SocketChannel guest, String name) {
    try {
      disk.serve(welcome(new Bell(guest), name));
    } catch (IOException | RuntimeException | InternalError e) {
      LOG.log(Level.WARNING, name + ": not served", e);
    } finally {
      greetings.release();
    }
  }

  private TapTransport welcome(Bell bell, String name) throws IOException {
    try {
      SharedFileTransport transport =
          SharedFileTransport.open(
              Path.of(bell.readSentence(GREETING_MILLISECONDS)), name, disk.info(), bell);
      bell.writeSentence("");
      return transport;
    } catch (IOException | RuntimeException | InternalError e) { // that, where a file is cut short
      try (bell) {
        bell.writeSentence(String.valueOf(e.getMessage()));
      } catch (IOException f) {
        e.addSuppressed(f);
      }
      throw e;
    }
  }
}

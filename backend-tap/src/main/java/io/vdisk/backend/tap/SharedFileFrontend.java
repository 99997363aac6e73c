package io.vdisk.backend.tap;

import java.io.Closeable;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A guest in a process of this machine: it makes a file with a ring and pages of data, and connects
 * to the socket of a disk ({@link SharedFileListener}).
 *
 * <p>One thread at a time, but for {@link #ringBell}.
 */
public final class SharedFileFrontend implements Closeable {
  private static final long ANSWER_MILLISECONDS = 30_000;

  private final Path file;
  private final MappedByteBuffer all;
  private final SharedFileLayout layout;
  private final ByteBuffer data;
  private final FrontRing ring;
  private Bell bell;

  private SharedFileFrontend(Path file, SharedFileLayout layout, MappedByteBuffer all, Bell bell) {
    this.file = file;
    this.all = all;
    this.layout = layout;
    this.data = layout.data(all);
    this.ring = new FrontRing(layout.ring(all), layout.abi());
    this.bell = bell;
  }

  /**
   * Makes the file, or makes it anew, and connects.
   *
   * @param file left where it is at the end
   */
  public static SharedFileFrontend connect(Path socket, Path file, SharedFileLayout layout)
      throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MappedByteBuffer all = layout.create(channel);
      SharedFileFrontend frontend = new SharedFileFrontend(file, layout, all, bell(socket));
      frontend.greet();
      return frontend;
    }
  }

  private static Bell bell(Path socket) throws IOException {
    return new Bell(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
  }

  private void greet() throws IOException {
    try {
      bell.writeSentence(file.toAbsolutePath().toString());
      String answer = bell.readSentence(ANSWER_MILLISECONDS);
      if (!answer.isEmpty()) {
        throw new IOException("refused: " + answer);
      }
    } catch (IOException e) {
      bell.close();
      throw e;
    }
  }

  /**
   * Connects to a server that took the place of one that is gone, and asks again what that left.
   */
  public void reconnect(Path socket) throws IOException {
    bell.close();
    ring.restart();
    bell = bell(socket);
    greet();
    ring.publish();
    ringBell();
  }

  /** The ring. */
  public FrontRing ring() {
    return ring;
  }

  /** The first page, for guests that break its rules. */
  ByteBuffer numbers() {
    return all;
  }

  /** The memory of the ring, for guests that break its rules. */
  ByteBuffer ringMemory() {
    return layout.ring(all);
  }

  /** The pages of data, one after the other, of 4096 bytes each. */
  public ByteBuffer data() {
    return data;
  }

  /** Sectors of the disk, of 512 bytes. */
  public long sectors() {
    return all.getLong(SharedFileLayout.SECTORS);
  }

  /** True if the disk takes no writes. */
  public boolean isReadOnly() {
    return (all.getInt(SharedFileLayout.INFO) & 4) != 0;
  }

  /** Wakes the server. */
  public void ringBell() {
    bell.ring(Bell.RING);
  }

  /**
   * Sleeps until the server rang.
   *
   * @return false if it has gone
   */
  public boolean await() throws IOException {
    return bell.await();
  }

  /** Leaves: the server ends what it has taken, and lets the ring go. */
  @Override
  public void close() throws IOException {
    bell.close();
  }
}

package io.vdisk.backend.tap.xen;

import java.io.IOException;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** The store behind the socket of xenstored, which runs in this domain. */
final class StoreSocket implements StoreChannel {
  private final SocketChannel channel;

  private StoreSocket(SocketChannel channel) {
    this.channel = channel;
  }

  static StoreSocket open(Path path) throws IOException {
    try {
      return new StoreSocket(SocketChannel.open(UnixDomainSocketAddress.of(path)));
    } catch (IOException | IllegalArgumentException e) { // that, if the path is too long
      throw new StoreException(
          Files.exists(path) ? StoreException.EIO : StoreException.ENOENT,
          "xenstored does not answer at " + path + ": " + e.getMessage(),
          e);
    }
  }

  @Override
  public void write(ByteBuffer message) throws IOException {
    while (message.hasRemaining()) {
      channel.write(message);
    }
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    try {
      return Math.max(channel.read(dst), 0);
    } catch (ClosedChannelException e) {
      return 0; // closed by this side
    } catch (SocketException e) {
      return 0; // reset: the store has gone without hearing all
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

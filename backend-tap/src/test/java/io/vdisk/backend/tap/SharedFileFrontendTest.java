package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class SharedFileFrontendTest {
  @TempDir Path folder;

  @Test
  void guestThatIsNotServedHangsUp() throws Exception {
    Path socket = folder.resolve("s");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      CompletableFuture<Integer> heard = CompletableFuture.supplyAsync(() -> sayNothing(server));

      assertThrows(
          EOFException.class,
          () ->
              SharedFileFrontend.connect(
                  socket, folder.resolve("ring"), new SharedFileLayout(RingAbi.X86_64, 1, 1)));

      assertEquals(-1, heard.get());
    }
  }

  /** What is read behind the first sentence of a guest that gets no answer. */
  private static int sayNothing(ServerSocketChannel server) {
    try (SocketChannel guest = server.accept()) {
      guest.shutdownOutput();
      ByteBuffer bytes = ByteBuffer.allocate(4096);
      int read = 0;
      while (read >= 0) {
        read = guest.read(bytes.clear());
      }
      return read;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

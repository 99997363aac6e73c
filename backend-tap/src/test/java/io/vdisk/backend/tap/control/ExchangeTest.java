package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** A tapdisk that was stopped, whose socket has no room for another client. */
@Timeout(value = 20, threadMode = ThreadMode.SEPARATE_THREAD)
final class ExchangeTest {
  @TempDir Path folder;
  private final List<SocketChannel> clients = new ArrayList<>();
  private UnixDomainSocketAddress socket;
  private ServerSocketChannel stopped;

  @BeforeEach
  void fillBacklog() throws IOException {
    socket = UnixDomainSocketAddress.of(folder.resolve("s"));
    stopped = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    stopped.bind(socket, 1);
    while (isLetIn()) {
      assertTrue(clients.size() < 10);
    }
  }

  private boolean isLetIn() throws IOException {
    SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX);
    clients.add(client);
    client.configureBlocking(false);
    try {
      return client.connect(socket);
    } catch (SocketException e) {
      return false; // later, it says
    }
  }

  @AfterEach
  void letGo() throws IOException {
    for (SocketChannel client : clients) {
      client.close();
    }
    stopped.close();
  }

  @Test
  void roomIsNotWaitedForLongerThanForAnAnswer() {
    DiskException e =
        assertThrows(
            DiskException.class,
            () -> Exchange.open(socket.getPath(), Optional.of(Duration.ofMillis(50))));

    assertEquals(Errno.ETIMEDOUT.number(), e.number(), e.sentence());
  }

  @Test
  void clientGoesOnWhenThereIsRoom() throws Exception {
    Thread continued = new Thread(this::acceptAll);
    continued.start();

    Exchange.open(socket.getPath(), Optional.of(Duration.ofSeconds(10))).close();

    stopped.close();
    continued.join();
  }

  private void acceptAll() {
    try {
      while (true) {
        stopped.accept().close();
      }
    } catch (IOException e) {
      assertFalse(stopped.isOpen(), e.toString());
    }
  }
}

package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskKey;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RequestBytesTest {
  private static final Generation TODAY = Generation.TODAY;

  private static ControlMessage opening(OpenFlag... flags) {
    Parameters parameters = new Parameters(Set.of(flags), 1, 0, "vhd:/a", 0, 0, "");
    return new ControlMessage(MessageType.OPEN, 1, parameters);
  }

  /** What comes of bytes that arrive so many at a time, and how many of them were read. */
  private static ControlRequest gather(byte[] sent, int atOnce) throws IOException {
    RequestBytes bytes = new RequestBytes(TODAY);
    for (int start = 0; start < sent.length; start += atOnce) {
      int length = Math.min(atOnce, sent.length - start);
      ReadableByteChannel piece =
          Channels.newChannel(new ByteArrayInputStream(sent, start, length));
      int before = start;
      while (bytes.read(piece)) {
        Optional<ControlRequest> whole = bytes.request();
        if (whole.isPresent()) {
          assertEquals(sent.length, before + length);
          return whole.get();
        }
      }
    }
    throw new AssertionError("the request is not whole");
  }

  @Test
  void requestInPiecesIsWholeWithItsLastByte() throws IOException {
    Optional<DiskKey> key = Optional.of(new DiskKey(new byte[] {1, 2, 3, 4}));
    for (ControlRequest request :
        new ControlRequest[] {
          ControlRequest.of(opening()),
          new ControlRequest(opening(OpenFlag.ADD_LOG), Optional.of("/log"), Optional.empty()),
          new ControlRequest(opening(OpenFlag.ENCRYPTED), Optional.empty(), key),
          new ControlRequest(
              opening(OpenFlag.ENCRYPTED, OpenFlag.ADD_LOG), Optional.of("/log"), key)
        }) {
      byte[] sent = RequestBytes.of(request, TODAY).array();
      for (int atOnce : new int[] {1, 7, 544, 545, 2000}) {
        assertEquals(request, gather(sent, atOnce));
      }
    }
  }

  /** As xapi's tap-ctl sends it: message, 256 bytes, a byte, the key. */
  @Test
  void whatFollowsAMessageIsLogThenKey() throws IOException {
    ControlRequest request =
        new ControlRequest(
            opening(OpenFlag.ENCRYPTED, OpenFlag.ADD_LOG),
            Optional.of("/log"),
            Optional.of(new DiskKey(new byte[] {7, 8})));

    byte[] sent = RequestBytes.of(request, TODAY).array();

    ByteBuffer expected = ByteBuffer.allocate(544 + 256 + 1 + 2);
    expected.put(0, new byte[] {7, 0, 1, 0, 0, 0, 0, 0, 0x10, 4});
    expected.put(12, (byte) 1).put(20, "vhd:/a".getBytes()).put(544, "/log".getBytes());
    expected.put(800, new byte[] {2, 7, 8});
    assertArrayEquals(expected.array(), sent);
  }

  @Test
  void nothingFollowsInXen41() throws IOException {
    RequestBytes bytes = new RequestBytes(Generation.XEN_4_1);
    byte[] sent = opening(OpenFlag.ADD_LOG).encode(Generation.XEN_4_1).array();
    bytes.read(Channels.newChannel(new ByteArrayInputStream(sent)));

    assertEquals(ControlRequest.of(opening(OpenFlag.ADD_LOG)), bytes.request().orElseThrow());
  }

  @Test
  void wrongKeyAndLogAreRefused() throws IOException {
    assertEquals("a key of 0 bytes", refused(OpenFlag.ENCRYPTED, (byte) 0, 1));
    assertEquals("a key of 129 bytes", refused(OpenFlag.ENCRYPTED, (byte) 129, 1));
    assertEquals(
        "no zero byte ends the name of the log within 256 bytes",
        refused(OpenFlag.ADD_LOG, (byte) 'a', 256));
  }

  private static String refused(OpenFlag flag, byte value, int count) throws IOException {
    ByteBuffer sent = ByteBuffer.allocate(544 + count).put(opening(flag).encode(TODAY));
    while (sent.hasRemaining()) {
      sent.put(value);
    }
    return assertThrows(DiskException.class, () -> gather(sent.array(), 1000)).sentence();
  }

  @Test
  void keyIsInNoTextAndCanBeWiped() throws IOException {
    DiskKey key = new DiskKey(new byte[] {101, 102});
    OpenRequest request =
        new ControlRequest(opening(OpenFlag.ENCRYPTED), Optional.empty(), Optional.of(key))
            .opening();

    assertFalse(request.toString().contains("101"), request.toString());
    key.close();
    assertArrayEquals(new byte[2], key.copy());
  }
}

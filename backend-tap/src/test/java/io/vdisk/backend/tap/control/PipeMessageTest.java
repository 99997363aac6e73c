package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PipeMessageTest {
  private static final PipeMessage.Nothing NOTHING = new PipeMessage.Nothing();
  private static final PipeDialect NEW = PipeDialect.XEN_3_2;

  private static void same(PipeMessage message, PipeDialect dialect, String... digits)
      throws DiskException {
    byte[] trace = HexFormat.of().parseHex(String.join("", digits).replace(" ", ""));
    assertEquals(ByteBuffer.wrap(trace), message.encode(dialect));
    assertEquals(message, PipeMessage.decode(ByteBuffer.wrap(trace), dialect));
  }

  /** As observed of Xen 3.4's blktapctrl and tapdisk. */
  @Test
  void tracesOfXen34() throws DiskException {
    same(
        PipeMessage.request(PipeMessageType.PID, 0xdddd, 0xcccc, NOTHING),
        NEW,
        "0900 1000 dddd cccc 0000000000000000");
    same(
        PipeMessage.answer(PipeMessageType.PID_RSP, new PipeMessage.Pid(4711)),
        NEW,
        "0a00 1400 0000 0000 0000000000000000 67120000");
    same(
        PipeMessage.answer(PipeMessageType.IMG, new PipeMessage.Image(new DiskInfo(8192, 512, 4))),
        NEW,
        "0200 0000 0000 0000 0000000000000000 0020000000000000 0002000000000000 04000000 00000000");
    same(
        new PipeMessage(PipeMessageType.PARAMS, 4, 7, true, new PipeMessage.Path("/a")),
        NEW,
        "0100 1300 0400 0700 0100000000000000 2f6100");
    same(
        new PipeMessage(PipeMessageType.IMG_FAIL, 4, 7, true, NOTHING),
        NEW,
        "0300 1000 0400 0700 0100000000000000");
    same(
        PipeMessage.request(PipeMessageType.NEWDEV, 4, 7, new PipeMessage.Device(200, 40000)),
        NEW,
        "0400 1400 0400 0700 0000000000000000 c800 409c");
    same(
        PipeMessage.answer(PipeMessageType.NEWDEV_RSP, NOTHING),
        NEW,
        "0500 1000 0000 0000 0000000000000000");
    same(
        PipeMessage.answer(PipeMessageType.NEWDEV_FAIL, NOTHING),
        NEW,
        "0600 1000 0000 0000 0000000000000000");
    same(
        PipeMessage.request(PipeMessageType.CLOSE, 4, 7, NOTHING),
        NEW,
        "0700 1000 0400 0700 0000000000000000");
  }

  @Test
  void olderHeadersAreShorter() throws DiskException {
    same(
        PipeMessage.request(PipeMessageType.PARAMS, 1, 2, new PipeMessage.Path("/a")),
        PipeDialect.XEN_3_0,
        "0100 0b00 0100 0200 2f6100");
    same(
        new PipeMessage(PipeMessageType.PARAMS, 1, 2, true, new PipeMessage.Path("/a")),
        PipeDialect.XEN_3_1,
        "0100 0d00 0100 0200 0100 2f6100");
    same(
        PipeMessage.answer(PipeMessageType.PID_RSP, new PipeMessage.Pid(1)),
        PipeDialect.XEN_3_0,
        "0a00 0c00 0000 0000 01000000");
  }

  @Test
  void wrongMessagesAreRefused() {
    refused("no message has type 11", "0b00 1000 0000 0000 0000000000000000");
    refused("NEWDEV has 16 bytes, and needs 20", "0400 1000 0000 0000 0000000000000000");
    refused(
        "no zero byte ends the path within 2 bytes", "0100 1200 0000 0000 0000000000000000 2f61");
    refused(
        "-1 sectors of 512 bytes are no disk",
        "0200 0000 0000 0000 0000000000000000 ffffffffffffffff 0002000000000000 0000000000000000");
  }

  private static void refused(String sentence, String digits) {
    ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(digits.replace(" ", "")));
    assertEquals(
        sentence,
        assertThrows(DiskException.class, () -> PipeMessage.decode(bytes, NEW)).sentence());
  }

  @Property(tries = 300)
  void anyBytesAreUnderstoodOrRefused(
      @ForAll @Size(min = 16, max = 80) byte[] bytes,
      @ForAll @IntRange(max = 12) int type,
      @ForAll PipeDialect dialect) {
    bytes[0] = (byte) type;
    bytes[1] = 0;
    try {
      PipeMessage.decode(ByteBuffer.wrap(bytes), dialect);
    } catch (DiskException e) {
      assertEquals(true, e.number() > 0);
    }
  }
}

package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ControlMessageTest {
  private static final Generation TODAY = Generation.TODAY;
  private static final Generation OLD = Generation.XEN_4_1;

  /** The bytes of hexadecimal digits, then zeroes up to the size of a message. */
  private static ByteBuffer bytes(Generation generation, String... digits) {
    byte[] head = HexFormat.of().parseHex(String.join("", digits).replace(" ", ""));
    return ByteBuffer.allocate(generation.messageSize()).put(0, head);
  }

  /** Zeroes, as hexadecimal digits. */
  private static String zeroes(int count) {
    return "00".repeat(count);
  }

  private static void same(ControlMessage message, Generation generation, String... digits)
      throws DiskException {
    ByteBuffer trace = bytes(generation, digits);
    assertEquals(trace, message.encode(generation));
    assertEquals(message, ControlMessage.decode(trace, generation));
  }

  @Test
  void requestsWithoutABodyAreTypeAndMinor() throws DiskException {
    same(ControlMessage.of(MessageType.PID, 0), TODAY, "0300 0000");
    same(ControlMessage.of(MessageType.ATTACH, 5), TODAY, "0500 0500");
    same(ControlMessage.of(MessageType.PAUSE, 1), TODAY, "0900 0100");
    same(ControlMessage.of(MessageType.CLOSE, 0x3fff), TODAY, "0d00 ff3f");
    same(ControlMessage.of(MessageType.DETACH, 1), TODAY, "0f00 0100");
    same(ControlMessage.of(MessageType.LIST, 0xffff), TODAY, "1300 ffff");
    same(ControlMessage.of(MessageType.STATS, 1), TODAY, "1500 0100");
    same(ControlMessage.of(MessageType.FORCE_SHUTDOWN, 1), TODAY, "1700 0100");
    same(ControlMessage.of(MessageType.FORCE_SHUTDOWN, 1), OLD, "1500 0100");
    same(ControlMessage.of(MessageType.DISK_INFO_REQUEST, 1), TODAY, "1c00 0100");
    same(ControlMessage.of(MessageType.EXIT, 0), TODAY, "1e00 0000");
    same(ControlMessage.of(MessageType.EXIT, 0), OLD, "1600 0000");
    same(ControlMessage.of(MessageType.EXIT, 0), Generation.XEN_4_0, "0d00 0000");
  }

  @Test
  void openingFillsTodaysMessage() throws DiskException {
    Parameters parameters =
        new Parameters(
            Set.of(OpenFlag.READ_ONLY, OpenFlag.SECONDARY), 7, 0, "vhd:/a", -1, 600, "aio:/b");
    same(
        new ControlMessage(MessageType.OPEN, 7, parameters),
        TODAY,
        "0700 0700 00000000 82000000 07000000 00000000",
        "7668643a2f61" + zeroes(250),
        "ffffffff 5802",
        "61696f3a2f62");
  }

  @Test
  void openingHasAPathOnlyInTheOldMessage() throws DiskException {
    Parameters parameters = new Parameters(Set.of(OpenFlag.READ_ONLY), 7, 0, "vhd:/a", 0, 0, "");
    String rest = "02 00 0000 07000000 00000000 0000 7668643a2f61";
    same(new ControlMessage(MessageType.OPEN, 7, parameters), OLD, "0700 0700 00000000", rest);
    same(
        new ControlMessage(MessageType.OPEN, 7, parameters),
        Generation.XEN_4_0,
        "0500 0700 00000000",
        rest);
  }

  @Test
  void ratesAreBytesThenRequests() throws DiskException {
    same(
        new ControlMessage(
            MessageType.LIMIT, 1, new Rates(new RateLimit.Rates(0x1000, 0x2000, 3, 4))),
        TODAY,
        "c800 0100 00000000 0010000000000000 0020000000000000",
        "0300000000000000 0400000000000000");
  }

  @Test
  void answersHaveTheirBodies() throws DiskException {
    same(
        new ControlMessage(MessageType.PID_RSP, 0, new ProcessId(15642)),
        TODAY,
        "0400 0000 00000000 1a3d0000");
    same(
        new ControlMessage(
            MessageType.OPEN_RSP, 1, new Image(new DiskInfo(0x1_0000_0000L, 512, 4))),
        TODAY,
        "0800 0100 00000000 0000000001000000 00020000 04000000");
    same(
        new ControlMessage(MessageType.DISK_INFO_RSP, 1, new Image(new DiskInfo(8192, 512, 0))),
        TODAY,
        "1d00 0100 00000000 0020000000000000 00020000 00000000");
    same(new ControlMessage(MessageType.ATTACH_RSP, 1, Outcome.DONE), TODAY, "0600 0100 00000000");
    same(
        new ControlMessage(MessageType.ERROR, 1, new Outcome(114, "no")),
        TODAY,
        "0100 0100 00000000 72000000 6e6f");
    same(
        new ControlMessage(MessageType.LIST_MINORS_RSP, 0, new MinorList(List.of(0, 258))),
        OLD,
        "1200 0000 00000000 02000000 00000000 02010000");
    same(
        new ControlMessage(MessageType.LIST_RSP, 0xffff, new DiskLine(1, 3, 0x2a, "vhd:/a")),
        TODAY,
        "1400 ffff 00000000 01000000 03000000 2a000000 7668643a2f61");
    same(
        new ControlMessage(MessageType.LIST_RSP, 0xffff, DiskLine.END),
        TODAY,
        "1400 ffff 00000000 00000000 ffffffff");
    same(
        new ControlMessage(MessageType.STATS_RSP, 1, new StatisticsLength(300)),
        TODAY,
        "1600 0100 00000000 0000 0000 00000000 2c01000000000000");
  }

  @Test
  void guestRingHasGrantsPoolAndPort() throws DiskException {
    same(
        new ControlMessage(
            MessageType.XENBLKIF_CONNECT,
            2,
            new GuestRing(3, 51712, List.of(8, 9), 3, "td", 11, 1000, 50)),
        TODAY,
        "1800 0200 00000000 03000000 00ca0000 08000000 09000000 " + zeroes(24),
        "01000000 03000000 7464" + zeroes(254),
        "0b000000 e8030000 32000000");
  }

  /** The offsets of the fields, as the headers of xapi and of Xen give them. */
  @Test
  void fieldsLieWhereTheTablesSay() {
    assertLies(
        ParametersLayout.of(TODAY).struct(),
        "8 flags 12 devnum 16 domid 20 path 276" + " prt_devnum 280 req_timeout 282 secondary");
    assertLies(
        ParametersLayout.of(OLD).struct(),
        "8 flags 9 storage 12 devnum 16 domid 20 path_len" + " 22 path");
    assertLies(Image.STRUCT, "8 sectors 16 sector_size 20 info");
    assertLies(ProcessId.STRUCT, "8 tapdisk_pid");
    assertLies(Outcome.STRUCT, "8 error 12 message");
    assertLies(MinorList.STRUCT, "8 count 12 list[0] 260 list[62]");
    assertLies(DiskLine.STRUCT, "8 count 12 minor 16 state 20 path");
    assertLies(StatisticsLength.STRUCT, "8 type 10 cookie 16 length");
    assertLies(
        GuestRing.STRUCT,
        "8 domid 12 devid 16 gref[0] 48 order 52 proto 56 pool 312 port"
            + " 316 poll_duration 320 poll_idle_threshold");
  }

  private static void assertLies(Struct struct, String table) {
    List<String> lines = struct.describe().lines().toList();
    String[] words = table.split(" ");
    for (int i = 0; i < words.length; i += 2) {
      String offset = words[i];
      String name = words[i + 1];
      String line = lines.stream().filter(l -> l.endsWith(" " + name)).findFirst().orElseThrow();
      assertEquals(offset, line.split(" ")[0], name);
    }
  }

  @Test
  void numbersOfTypesFollowTheGeneration() {
    assertEquals(Optional.of(MessageType.STATS), MessageType.of(21, TODAY));
    assertEquals(Optional.of(MessageType.FORCE_SHUTDOWN), MessageType.of(21, OLD));
    assertEquals(Optional.of(MessageType.RESUME), MessageType.of(9, Generation.XEN_4_0));
    for (Generation generation : Generation.values()) {
      long known =
          IntStream.range(0, 0x10000)
              .filter(number -> MessageType.of(number, generation).isPresent())
              .count();
      assertEquals(List.of(13L, 22L, 32L).get(generation.ordinal()), known);
    }
  }

  @Test
  void wrongFieldsAreRefused() {
    refused(22, "no message has type 0", bytes(TODAY, "0000"));
    refused(22, "no message has type 31", bytes(TODAY, "1f00"));
    refused(22, "no message has type 65535", bytes(TODAY, "ffff"));
    refused(22, "the flags 0x800 mean nothing", bytes(TODAY, "0700 0000 00000000 00080000"));
    refused(
        22,
        "no zero byte ends the path within 256 bytes",
        bytes(TODAY, "0700 0000", zeroes(16), "61".repeat(256)));
    refused(
        22,
        "no zero byte ends the secondary within 256 bytes",
        bytes(TODAY, "0700 0000", zeroes(278), "61".repeat(256)));
    refused(22, "the path is not UTF-8", bytes(TODAY, "0700 0000", zeroes(16), "ff"));
    refused(
        22,
        "a ring of order 4, and 3 is the most",
        bytes(TODAY, "1800 0000", zeroes(44), "04000000"));
    refused(71, "64 minors do not fit a message", bytes(TODAY, "1200 0000 00000000 40000000"));
    refused(
        71,
        "statistics of 18446744073709551615 bytes are too many",
        bytes(TODAY, "1600 0000", zeroes(12), "ffffffffffffffff"));
    refused(71, "the error number -22 is negative", bytes(TODAY, "0100 0000 00000000 eaffffff"));
  }

  private static void refused(int number, String sentence, ByteBuffer message) {
    DiskException failure =
        assertThrows(DiskException.class, () -> ControlMessage.decode(message, TODAY));
    assertEquals(sentence, failure.sentence());
    assertEquals(number, failure.number());
  }

  @Test
  void whatHasNoPlaceIsNotSent() {
    assertEquals(36, failure("a".repeat(256), TODAY, Set.of()));
    assertEquals(22, failure("a\0b", TODAY, Set.of()));
    assertEquals(95, failure("a", OLD, Set.of(OpenFlag.SECONDARY)));
    ControlMessage stats = ControlMessage.of(MessageType.STATS, 0);
    assertEquals(
        "Xen 4.1 has no message 'stats'",
        assertThrows(DiskException.class, () -> stats.encode(OLD)).sentence());
  }

  private static int failure(String path, Generation generation, Set<OpenFlag> flags) {
    Parameters parameters = new Parameters(flags, 0, 0, path, 0, 0, "");
    ControlMessage message = new ControlMessage(MessageType.OPEN, 0, parameters);
    return assertThrows(DiskException.class, () -> message.encode(generation)).number();
  }

  @Test
  void longSentenceIsCutBetweenCharacters() throws DiskException {
    Outcome outcome = new Outcome(5, "a".repeat(254) + "\u00e9");
    ControlMessage message = new ControlMessage(MessageType.ERROR, 0, outcome);

    ControlMessage read = ControlMessage.decode(message.encode(TODAY), TODAY);

    assertEquals(new Outcome(5, "a".repeat(254)), read.body());
  }

  /** Whatever arrives is understood or refused with a number; what is understood is sent alike. */
  @Property(tries = 500)
  void anyBytesAreUnderstoodOrRefused(
      @ForAll byte[] noise, @ForAll @IntRange(max = 40) int type, @ForAll Generation generation) {
    ByteBuffer message = ByteBuffer.allocate(generation.messageSize());
    for (int i = 0; i < noise.length; i++) {
      message.put((i * 7 + 4) % message.capacity(), noise[i]);
    }
    message.put(0, (byte) type);
    try {
      ControlMessage read = ControlMessage.decode(message, generation);
      assertEquals(read, ControlMessage.decode(read.encode(generation), generation));
    } catch (DiskException e) {
      assertEquals(true, e.number() > 0);
    }
  }
}

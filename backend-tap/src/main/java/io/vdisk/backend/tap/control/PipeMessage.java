package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A message over the pipes of blktap 1: a header, whose size is the {@link PipeDialect}'s, and a
 * payload; little-endian.
 *
 * <pre>
 * 0  2  type
 * 2  2  length of the whole message; zero in an IMG
 * 4  2  driver
 * 6  2  cookie; zero in all answers but IMG_FAIL
 * 8  1  1 if read-only; not in Xen 3.0
 * </pre>
 *
 * @param type what it is
 * @param driver the number of a driver
 * @param cookie which disk
 * @param isReadOnly whether it may not be written
 * @param body what follows the header
 */
record PipeMessage(PipeMessageType type, int driver, int cookie, boolean isReadOnly, Body body) {
  /** MSG_SIZE of blktaplib.h: no message is longer. */
  static final int MAX_SIZE = 4096;

  private static final int LENGTH_OFFSET = 2;
  private static final int DRIVER_OFFSET = 4;
  private static final int COOKIE_OFFSET = 6;
  private static final int READ_ONLY_OFFSET = 8;

  /** What follows a header. */
  sealed interface Body permits Nothing, Path, Image, Device, Pid {}

  /** Nothing follows. */
  record Nothing() implements Body {}

  /** The file of a PARAMS, without its driver, ended by a zero byte. */
  record Path(String path) implements Body {}

  /** The image_t of an IMG on 64 bits: sectors u64 at 0, sector size u64 at 8, info u32 at 16. */
  record Image(DiskInfo info) implements Body {
    static final int SIZE = 24;
  }

  /** The msg_newdev_t of a NEWDEV: minor u8 at 0, domain u16 at 2. */
  record Device(int minor, int domain) implements Body {
    static final int SIZE = 4;
  }

  /** The msg_pid_t of a PID_RSP: i32. */
  record Pid(int pid) implements Body {
    static final int SIZE = 4;
  }

  /** An answer, whose header says no more than its type. */
  static PipeMessage answer(PipeMessageType type, Body body) {
    return new PipeMessage(type, 0, 0, false, body);
  }

  /** A request about a disk. */
  static PipeMessage request(PipeMessageType type, int driver, int cookie, Body body) {
    return new PipeMessage(type, driver, cookie, false, body);
  }

  /**
   * The length that a message gives for itself.
   *
   * @param bytes at least {@link PipeDialect#XEN_3_0}'s header, from index 0 on
   */
  static int length(ByteBuffer bytes) {
    return bytes.order(ByteOrder.LITTLE_ENDIAN).getShort(LENGTH_OFFSET) & 0xffff;
  }

  static int typeNumber(ByteBuffer bytes) {
    return bytes.order(ByteOrder.LITTLE_ENDIAN).getShort(0) & 0xffff;
  }

  /** How long an answer of a type is: an IMG does not say it itself. */
  static int answerSize(PipeMessageType type, PipeDialect dialect) {
    return dialect.headerSize()
        + switch (type) {
          case IMG -> Image.SIZE;
          case PID_RSP -> Pid.SIZE;
          default -> 0;
        };
  }

  /**
   * Reads a message.
   *
   * @param bytes all its bytes, from index 0 to the limit
   * @throws DiskException with EINVAL if it has no known type, or too few bytes for it
   */
  static PipeMessage decode(ByteBuffer bytes, PipeDialect dialect) throws DiskException {
    int number = typeNumber(bytes);
    PipeMessageType type =
        PipeMessageType.of(number)
            .orElseThrow(() -> new DiskException(Errno.EINVAL, "no message has type " + number));
    int size = dialect.headerSize() + leastBody(type);
    if (bytes.limit() < size) {
      throw new DiskException(
          Errno.EINVAL, type + " has " + bytes.limit() + " bytes, and needs " + size);
    }
    return new PipeMessage(
        type,
        bytes.getShort(DRIVER_OFFSET) & 0xffff,
        bytes.getShort(COOKIE_OFFSET) & 0xffff,
        dialect.hasReadOnly() && bytes.get(READ_ONLY_OFFSET) != 0,
        body(type, bytes, dialect.headerSize()));
  }

  private static int leastBody(PipeMessageType type) {
    return switch (type) {
      case PARAMS -> 1;
      case IMG -> Image.SIZE;
      case NEWDEV -> Device.SIZE;
      case PID_RSP -> Pid.SIZE;
      default -> 0;
    };
  }

  private static Body body(PipeMessageType type, ByteBuffer bytes, int start) throws DiskException {
    return switch (type) {
      case PARAMS -> {
        byte[] path = new byte[bytes.limit() - start];
        bytes.get(start, path);
        yield new Path(WireText.of(path, "path"));
      }
      case IMG -> new Image(image(bytes, start));
      case NEWDEV -> new Device(bytes.get(start) & 0xff, bytes.getShort(start + 2) & 0xffff);
      case PID_RSP -> new Pid(bytes.getInt(start));
      default -> new Nothing();
    };
  }

  private static DiskInfo image(ByteBuffer bytes, int start) throws DiskException {
    long sectors = bytes.getLong(start);
    long sectorSize = bytes.getLong(start + 8);
    if (sectors < 0 || sectorSize < 0 || sectorSize > Integer.MAX_VALUE) {
      throw new DiskException(
          Errno.EPROTO, sectors + " sectors of " + sectorSize + " bytes are no disk");
    }
    return new DiskInfo(sectors, (int) sectorSize, bytes.getInt(start + 16));
  }

  /**
   * Writes the message.
   *
   * @throws DiskException with ENAMETOOLONG if a path does not fit
   */
  ByteBuffer encode(PipeDialect dialect) throws DiskException {
    ByteBuffer bytes = ByteBuffer.allocate(MAX_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    int start = dialect.headerSize();
    int size = start;
    if (body instanceof Path path) {
      byte[] raw = WireText.bytes(path.path(), MAX_SIZE - start, "path");
      int end = path.path().getBytes(StandardCharsets.UTF_8).length + 1;
      bytes.put(start, Arrays.copyOf(raw, end));
      size += end;
    } else if (body instanceof Image image) {
      bytes.putLong(start, image.info().sectors()).putLong(start + 8, image.info().sectorSize());
      bytes.putInt(start + 16, image.info().info());
      size += Image.SIZE;
    } else if (body instanceof Device device) {
      bytes.put(start, (byte) device.minor()).putShort(start + 2, (short) device.domain());
      size += Device.SIZE;
    } else if (body instanceof Pid process) {
      bytes.putInt(start, process.pid());
      size += Pid.SIZE;
    }
    bytes.putShort(0, (short) type.number());
    bytes.putShort(LENGTH_OFFSET, (short) (type == PipeMessageType.IMG ? 0 : size));
    bytes.putShort(DRIVER_OFFSET, (short) driver).putShort(COOKIE_OFFSET, (short) cookie);
    if (dialect.hasReadOnly() && isReadOnly) {
      bytes.put(READ_ONLY_OFFSET, (byte) 1);
    }
    return bytes.limit(size).slice().order(ByteOrder.LITTLE_ENDIAN);
  }
}

package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * One of the disks of a process (struct tapdisk_message_list). A list is a row of them.
 *
 * @param count how many come, this one included: the last message of a list has 0
 * @param minor the disk's number; -1 in the last message
 * @param state bits of {@link DiskState}
 * @param name the type, a colon and the path; empty if nothing is open
 */
public record DiskLine(int count, int minor, int state, String name) implements MessageBody {
  static final Struct STRUCT = Struct.littleEndian("tapdisk_message_list");
  private static final Struct.U32 COUNT;
  private static final Struct.U32 MINOR;
  private static final Struct.U32 STATE;
  private static final Struct.Bytes PATH;

  static {
    STRUCT.bytes("header", 8);
    COUNT = STRUCT.u32("count");
    MINOR = STRUCT.u32("minor");
    STATE = STRUCT.u32("state");
    PATH = STRUCT.bytes("path", 256);
    STRUCT.end(276);
  }

  /** The message behind the last disk. */
  static final DiskLine END = new DiskLine(0, -1, 0, "");

  static DiskLine read(ByteBuffer message) throws DiskException {
    return new DiskLine(
        (int) COUNT.get(message, 0),
        (int) MINOR.get(message, 0),
        (int) STATE.get(message, 0),
        WireText.get(PATH, message));
  }

  void write(ByteBuffer message) throws DiskException {
    COUNT.put(message, 0, Integer.toUnsignedLong(count));
    MINOR.put(message, 0, Integer.toUnsignedLong(minor));
    STATE.put(message, 0, Integer.toUnsignedLong(state));
    WireText.put(PATH, message, name);
  }
}

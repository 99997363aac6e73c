package io.vdisk.backend.tap.control;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * Which process answers.
 *
 * @param pid the number of the process
 */
public record ProcessId(int pid) implements MessageBody {
  static final Struct STRUCT = Struct.littleEndian("tapdisk_message.tapdisk_pid");
  private static final Struct.U32 PID;

  static {
    STRUCT.bytes("header", 8);
    PID = STRUCT.u32("tapdisk_pid");
    STRUCT.end(12);
  }

  static ProcessId read(ByteBuffer message) {
    return new ProcessId((int) PID.get(message, 0));
  }

  void write(ByteBuffer message) {
    PID.put(message, 0, Integer.toUnsignedLong(pid));
  }
}

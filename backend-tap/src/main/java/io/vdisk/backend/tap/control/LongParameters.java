package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/** Parameters in today's message of 544 bytes, which they fill. */
record LongParameters() implements ParametersLayout {
  private static final Struct STRUCT = Struct.littleEndian("tapdisk_message_params");
  private static final Struct.U32 FLAGS;
  private static final Struct.U32 DEVNUM;
  private static final Struct.U32 DOMID;
  private static final Struct.Bytes PATH;
  private static final Struct.U32 PRT_DEVNUM;
  private static final Struct.U16 REQ_TIMEOUT;
  private static final Struct.Bytes SECONDARY;

  static {
    STRUCT.bytes("header", 8);
    FLAGS = STRUCT.u32("flags");
    DEVNUM = STRUCT.u32("devnum");
    DOMID = STRUCT.u32("domid");
    PATH = STRUCT.bytes("path", 256);
    PRT_DEVNUM = STRUCT.u32("prt_devnum");
    REQ_TIMEOUT = STRUCT.u16("req_timeout");
    SECONDARY = STRUCT.bytes("secondary", 256);
    STRUCT.bytes("padding", 6);
    STRUCT.end(544);
  }

  @Override
  public Parameters read(ByteBuffer message) throws DiskException {
    return new Parameters(
        OpenFlag.of(FLAGS.get(message, 0)),
        (int) DEVNUM.get(message, 0),
        (int) DOMID.get(message, 0),
        WireText.get(PATH, message),
        (int) PRT_DEVNUM.get(message, 0),
        REQ_TIMEOUT.get(message, 0),
        WireText.get(SECONDARY, message));
  }

  @Override
  public void write(Parameters parameters, ByteBuffer message) throws DiskException {
    FLAGS.put(message, 0, OpenFlag.word(parameters.flags()));
    DEVNUM.put(message, 0, Integer.toUnsignedLong(parameters.device()));
    DOMID.put(message, 0, Integer.toUnsignedLong(parameters.domain()));
    WireText.put(PATH, message, parameters.disk());
    PRT_DEVNUM.put(message, 0, Integer.toUnsignedLong(parameters.parentMinor()));
    REQ_TIMEOUT.put(message, 0, parameters.timeoutSeconds());
    WireText.put(SECONDARY, message, parameters.secondary());
  }

  @Override
  public Struct struct() {
    return STRUCT;
  }
}

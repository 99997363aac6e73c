package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;

/**
 * Parameters in the message of Xen 4.0 to 4.2, 280 bytes, which they fill. It knows no secondary
 * disk, no parent's minor and no timeout. The length of the path was left zero by tap-ctl, and
 * nobody looked.
 */
record ShortParameters() implements ParametersLayout {
  private static final Set<OpenFlag> FLAGS_THERE = EnumSet.range(OpenFlag.SHARED, OpenFlag.ADD_LOG);

  private static final Struct STRUCT = Struct.littleEndian("tapdisk_message_params of Xen 4.1");
  private static final Struct.U8 FLAGS;
  private static final Struct.U32 DEVNUM;
  private static final Struct.U32 DOMID;
  private static final Struct.Bytes PATH;

  static {
    STRUCT.bytes("header", 8);
    FLAGS = STRUCT.u8("flags");
    STRUCT.u8("storage");
    STRUCT.bytes("padding", 2);
    DEVNUM = STRUCT.u32("devnum");
    DOMID = STRUCT.u32("domid");
    STRUCT.u16("path_len");
    PATH = STRUCT.bytes("path", 256);
    STRUCT.bytes("padding", 2);
    STRUCT.end(280);
  }

  @Override
  public Parameters read(ByteBuffer message) throws DiskException {
    Set<OpenFlag> flags = OpenFlag.of(FLAGS.get(message, 0));
    checkKnown(flags);
    return new Parameters(
        flags,
        (int) DEVNUM.get(message, 0),
        (int) DOMID.get(message, 0),
        WireText.get(PATH, message),
        0,
        0,
        "");
  }

  @Override
  public void write(Parameters parameters, ByteBuffer message) throws DiskException {
    checkKnown(parameters.flags());
    if (parameters.timeoutSeconds() != 0) {
      throw new DiskException(
          Errno.EOPNOTSUPP, "the messages of Xen 4.1 have no place for a timeout");
    }
    FLAGS.put(message, 0, OpenFlag.word(parameters.flags()));
    DEVNUM.put(message, 0, Integer.toUnsignedLong(parameters.device()));
    DOMID.put(message, 0, Integer.toUnsignedLong(parameters.domain()));
    WireText.put(PATH, message, parameters.disk());
  }

  private static void checkKnown(Set<OpenFlag> flags) throws DiskException {
    for (OpenFlag flag : flags) {
      if (!FLAGS_THERE.contains(flag)) {
        throw new DiskException(Errno.EOPNOTSUPP, "the messages of Xen 4.1 have no flag " + flag);
      }
    }
  }

  @Override
  public Struct struct() {
    return STRUCT;
  }
}

package io.vdisk.testkit.toy;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Like VHDX: changes of tables go through a log. A second table marks the units of the file that
 * are in use, and must agree with the first at any time: without the log it would not.
 *
 * <p>The file has room for a few units more than the disk has, so it can be full until discarded
 * ones are offered again.
 */
final class FlatFormat extends ToyFormat {
  /** Words of the header behind those of {@link TableLayout}. */
  static final int LOG_OFFSET = 2;

  static final int MARKS_OFFSET = 3;

  /** How many units the file has room for. */
  static final int MARKS = 4;

  private final int spare;

  /**
   * A format.
   *
   * @param spare units of a new image that the disk does not need
   */
  FlatFormat(int spare) {
    super("flat", TableLayout.UNIT);
    this.spare = spare;
  }

  @Override
  ToyLayout<?> layout(Parts parts) throws IOException {
    checkMarks(parts.header(), parts.file());
    ToyLog log = new ToyLog(parts.file(), parts.header().offsetWord(LOG_OFFSET, parts.file()));
    HostFile tables = log.replay(parts.context().writable());
    return new FlatLayout(parts, tables, log);
  }

  /** Before anything is written: the log is replayed only into an image that can be opened. */
  private static void checkMarks(ToyHeader header, HostFile file) throws IOException {
    long table = header.offsetWord(TableLayout.TABLE_OFFSET, file);
    long marks = header.offsetWord(MARKS_OFFSET, file);
    long data = header.word(TableLayout.DATA_OFFSET, marks, file.size(), file);
    long unused = header.word(MARKS, 0, (data - marks) / Long.BYTES, file);
    if (table + TableLayout.tableBytes(header.virtualSize()) > marks) {
      throw new CorruptImageException(file.name() + ": its tables overlap");
    }
  }

  /** Header, log, unit table, marks, units. */
  @Override
  List<Long> format(HostFile file, ToyHeader header, CreateContext context) throws IOException {
    long tableBytes = TableLayout.tableBytes(header.virtualSize());
    context.limits().checkTable("unit table", tableBytes, file.name());
    long marks = ceilDiv(header.virtualSize(), TableLayout.UNIT) + spare;
    long table = ToyHeader.BYTES + ToyLog.BYTES;
    long marksOffset = table + tableBytes;
    long data = marksOffset + ceilDiv(marks, TableLayout.PER_SLICE) * TableLayout.SLICE;
    file.write(ByteBuffer.allocate((int) (data - ToyHeader.BYTES)), ToyHeader.BYTES);
    return List.of(table, data, (long) ToyHeader.BYTES, marksOffset, marks);
  }
}

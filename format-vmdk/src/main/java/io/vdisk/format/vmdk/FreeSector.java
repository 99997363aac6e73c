package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * The field of a COWD header behind which nothing is used. It is durable before a table names what
 * lies before it, so that nobody puts a grain there a second time.
 */
final class FreeSector {
  /** Where the slice begins: nothing that is changed otherwise lies in it. */
  private static final int START = 8;

  private static final int BYTES = 56;
  private static final int FIELD = (CowdHeader.FREE_SECTOR.offset() - START) / Integer.BYTES;

  private final TableKind kind;

  FreeSector(HostFile file, TableCache cache) {
    this.kind =
        cache.add(
            new TableKind(
                "COWD header", file, ByteOrder.LITTLE_ENDIAN, BYTES, BYTES, WriteStage.NEW_TABLE) {
              @Override
              protected long position(Hold hold, long index) {
                return START;
              }
            });
  }

  /** Sees that the field is in memory, before anything is changed. */
  void look(Hold hold) throws IOException {
    Slice unused = slice(hold);
    assert unused.index() == 0;
  }

  private Slice slice(Hold hold) throws IOException {
    return Objects.requireNonNull(hold.slice(kind, 0));
  }

  /** Space up to there is used from now on; a file offset. */
  void raise(Hold hold, long end) throws IOException {
    Slice header = slice(hold);
    long sector = end / SparseHeader.SECTOR;
    if (header.u32(FIELD) < sector) {
      hold.setU32(header, FIELD, Math.min(sector, 0xffff_ffffL));
    }
  }
}

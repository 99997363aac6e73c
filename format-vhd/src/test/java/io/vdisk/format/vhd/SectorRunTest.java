package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Where runs of sectors end. */
class SectorRunTest {
  /** A bitmap of 1,024 sectors, of which these bytes tell the first. */
  private static Slice bits(int... bytes) throws IOException {
    ByteBuffer bitmap = ByteBuffer.allocate(512 + 128).position(512);
    for (int value : bytes) {
      bitmap.put((byte) value);
    }
    HostFile file = new MemoryFile("bitmap", bitmap.array());
    TableCache cache = new TableCache(new CacheBudget(1 << 20));
    TableKind kind =
        cache.add(
            new TableKind(
                "sector bitmap", file, ByteOrder.BIG_ENDIAN, 128, 128, WriteStage.EXPOSE) {
              @Override
              protected long position(Hold hold, long index) {
                return 512;
              }
            });
    return Objects.requireNonNull(cache.load(kind, 0));
  }

  @Test
  void aRunEndsBeforeTheFirstSectorThatIsOtherwise() throws IOException {
    Slice bits = bits(0x1f, 0xff, 0xff, 0x80);
    assertEquals(3, SectorBitmap.endOfRun(bits, 0, 100, false));
    assertEquals(25, SectorBitmap.endOfRun(bits, 3, 100, true));
    assertEquals(20, SectorBitmap.endOfRun(bits, 3, 20, true));
    assertEquals(1024, SectorBitmap.endOfRun(bits, 25, 1024, false));
  }

  /** A reader saw the first sector without its bit; those behind it were there all the time. */
  @Test
  void sectorsBehindOneThatIsSetMeanwhileAreNotTakenForAbsent() throws IOException {
    assertEquals(4, SectorBitmap.endOfRun(bits(0x1f, 0xff), 3, 16, false));
  }
}

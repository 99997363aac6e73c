package io.vdisk.format.vhd;

import io.vdisk.Limits;
import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Writes all metadata of a dynamic or differencing disk anew: header, block allocation table,
 * batmap, names of the parent. A power cut at any instant leaves the old disk or the new one.
 *
 * <ol>
 *   <li>Blocks that lie where the metadata will be move to the end, one after another: copied, then
 *       named there.
 *   <li>The new metadata is written behind all blocks, and is durable before the footers say that
 *       the header lies there. From then on nothing reads the old metadata.
 *   <li>It is written again at its usual place, at the beginning of the file, where Xen's tools
 *       look for it alone; then the footers say so.
 *   <li>What was behind the blocks is cut off.
 * </ol>
 *
 * <p>One thread, alone on the disk; used once.
 */
final class MetadataRewrite {
  private static final int SECTOR = Structures.SECTOR;
  private static final int COPY = 1 << 20;
  private static final int DATA_ALIGNMENT = 4096;

  private final Structures structures;
  private final HostFile file;

  /** Where the file ends; its footer may stand there. */
  private long end;

  MetadataRewrite(Structures structures) {
    this.structures = structures;
    this.file = structures.file();
  }

  /** Metadata with the names that the header has already. */
  void write(DynamicDiskHeader header, HardDiskFooter footer) throws IOException {
    ByteBuffer names = ByteBuffer.allocate(0);
    for (ParentLocator locator : header.locators()) {
      if (locator.isUsed()) {
        names = append(names, readName(locator));
      }
    }
    write(header, names, footer);
  }

  private ByteBuffer readName(ParentLocator locator) throws IOException {
    boolean isThere =
        locator.dataLength() <= ParentLocator.MAX_LENGTH
            && locator.dataOffset() > 0
            && locator.dataOffset() <= file.size() - locator.dataLength();
    int length = isThere ? (int) locator.dataLength() : 0;
    ByteBuffer name = ByteBuffer.allocate((int) space(length));
    file.readFully(name.limit(length), locator.dataOffset() < 0 ? 0 : locator.dataOffset());
    return name.clear();
  }

  private static long space(long length) {
    return Structures.roundUp(Math.max(1, length), SECTOR);
  }

  private static ByteBuffer append(ByteBuffer first, ByteBuffer second) {
    return ByteBuffer.allocate(first.remaining() + second.remaining())
        .put(first)
        .put(second)
        .flip();
  }

  /**
   * Metadata with these names, each in whole sectors, in the order of the locators that are used.
   *
   * @param header with as many entries as the table shall have; offsets in it are not looked at
   * @param footer what else changes with it
   */
  void write(DynamicDiskHeader header, ByteBuffer names, HardDiskFooter footer) throws IOException {
    long size = footer.virtualSize();
    long length = new NewMetadata(structures, header, names, 0, size).length();
    UsedSpace used = UsedSpace.read(structures, structures.footers().endOffset());
    boolean isDevice = file.size() >= file.capacity();
    end = isDevice ? used.end() : structures.footers().endOffset();
    moveBlocks(HardDiskFooter.BYTES + length, isDevice);
    long temporary = Structures.roundUp(Math.max(end, HardDiskFooter.BYTES + length), SECTOR);
    require(temporary + length, isDevice);
    long footerOffset = isDevice ? structures.footers().endOffset() : temporary + length;
    FooterUpdate update = new FooterUpdate(structures.footers(), file);
    Structures valid = structures;
    for (long base : new long[] {temporary, HardDiskFooter.BYTES}) {
      new NewMetadata(valid, header, names, base, size).write();
      file.flush();
      update.writeAt(footer.withDataOffset(base), footerOffset);
      Footers now = Footers.read(file, Footers.Reading.STRICT);
      valid = Structures.read(file, now, Footers.Reading.STRICT, Limits.DEFAULT);
    }
    if (!isDevice) {
      file.write(valid.footer().bytes(), temporary);
      file.flush();
      file.resize(temporary + HardDiskFooter.BYTES);
      file.flush();
    }
  }

  private void require(long bytes, boolean isDevice) throws IOException {
    if (isDevice && bytes > structures.footers().endOffset()) {
      throw new NoSpaceException(
          file.name() + " is full: it has no room for its metadata while that is written anew");
    }
  }

  /** Moves what lies before {@code limit} behind everything else. */
  private void moveBlocks(long limit, boolean isDevice) throws IOException {
    long table = structures.header().tableOffset();
    ByteBuffer entry = ByteBuffer.allocate(Integer.BYTES);
    for (long block = 0; block < structures.blocks(); block++) {
      file.readFully(entry.clear(), table + block * Integer.BYTES);
      long place = Integer.toUnsignedLong(entry.getInt(0));
      if (place == Structures.UNUSED || place * SECTOR >= limit) {
        continue;
      }
      long start =
          Structures.roundUp(end + structures.bitmapBytes(), DATA_ALIGNMENT)
              - structures.bitmapBytes();
      long behind = start + structures.stride();
      require(behind, isDevice);
      if (start / SECTOR >= Structures.UNUSED) {
        throw new NoSpaceException(file.name() + " is full: VHD has no name for more blocks");
      }
      if (!isDevice) {
        file.write(structures.footer().bytes(), behind);
      }
      copy(place * SECTOR, start, structures.stride());
      file.flush();
      file.write(entry.clear().putInt(0, (int) (start / SECTOR)), table + block * Integer.BYTES);
      file.flush();
      end = behind;
    }
  }

  private void copy(long from, long to, long length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(COPY, length));
    for (long done = 0; done < length; done += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), length - done));
      file.readFully(buffer, from + done);
      file.write(buffer.flip(), to + done);
    }
  }
}

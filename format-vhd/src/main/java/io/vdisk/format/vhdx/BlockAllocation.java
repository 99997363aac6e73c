package io.vdisk.format.vhdx;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import java.io.IOException;

/** A new payload block, all of which will be here. */
final class BlockAllocation implements Allocation {
  /** Slices that it changes. */
  static final int SLICES = 1;

  private final BlockWriter writer;
  private final BlockTables tables;
  private final long block;
  private final long place;
  private final boolean zeroed;
  private final long head;
  private final long length;

  BlockAllocation(
      BlockWriter writer,
      BlockTables tables,
      long block,
      long place,
      boolean zeroed,
      long offset,
      long length) {
    this.writer = writer;
    this.tables = tables;
    this.block = block;
    this.place = place;
    this.zeroed = zeroed;
    this.head = offset & (tables.geometry.blockSize() - 1);
    this.length = length;
  }

  @Override
  public HostFile file() {
    return writer.file();
  }

  @Override
  public long fileOffset() {
    return place + head;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public long head() {
    return head;
  }

  @Override
  public long tail() {
    return tables.geometry.blockSize() - head - length;
  }

  @Override
  public boolean zeroed() {
    return zeroed;
  }

  @Override
  public void commit() throws IOException {
    long number = tables.geometry.entryOf(block);
    tables.locked(
        hold -> {
          BatEntry old = tables.entry(hold, number);
          writer.drop(tables, old);
          tables.set(hold, number, BatEntry.at(place, BatEntry.FULLY_PRESENT));
        });
    tables.writeBack.release(SLICES);
  }

  @Override
  public void abort() {
    try {
      writer.give(tables, place, tables.geometry.blockSize());
    } finally {
      tables.writeBack.release(SLICES);
    }
  }
}

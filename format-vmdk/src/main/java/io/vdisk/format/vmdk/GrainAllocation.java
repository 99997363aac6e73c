package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import java.io.IOException;

/** New grains that follow each other, on the disk and in the file. */
final class GrainAllocation implements Allocation {
  private final GrainPlacing placing;
  private final long grain;
  private final GrainSpace.Place place;
  private final long head;
  private final long length;
  private final long tail;
  private final int slices;

  /**
   * An allocation.
   *
   * @param grain the first grain's number
   * @param slices what was reserved of the write-back
   */
  GrainAllocation(
      GrainPlacing placing,
      long grain,
      GrainSpace.Place place,
      long head,
      long length,
      long tail,
      int slices) {
    this.placing = placing;
    this.grain = grain;
    this.place = place;
    this.head = head;
    this.length = length;
    this.tail = tail;
    this.slices = slices;
  }

  /** Whether the write fills all of it, so that the file gets as long as it must be. */
  boolean isWhole() {
    return length == place.bytes();
  }

  @Override
  public HostFile file() {
    return placing.file();
  }

  @Override
  public long fileOffset() {
    return place.offset() + head;
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
    return tail;
  }

  @Override
  public boolean zeroed() {
    return place.zeroed();
  }

  @Override
  public void commit() throws IOException {
    placing.commit(grain, place, slices);
  }

  @Override
  public void abort() {
    placing.abort(place, slices);
  }
}

package io.vdisk.testkit.toy;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;

/** Host space for whole granules; how it is committed and given back is the layout's. */
abstract class ToyAllocation implements Allocation {
  /** First guest byte of the space. */
  final long start;

  /** First byte of the space in the host file. */
  final long spaceOffset;

  /** Bytes of the space. */
  final long spaceLength;

  private final HostFile file;
  private final boolean zeroed;
  private final long head;
  private final long length;

  /**
   * An allocation.
   *
   * @param start guest offset of the space
   * @param offset guest offset of the write, which begins in the first granule
   * @param most bytes to write at most
   */
  ToyAllocation(HostFile file, Space space, long start, long offset, long most) {
    this.file = file;
    this.start = start;
    this.spaceOffset = space.offset();
    this.spaceLength = space.length();
    this.zeroed = space.zeroed();
    this.head = offset - start;
    this.length = Math.min(most, spaceLength - head);
  }

  /**
   * Neighbouring bytes of a host file that were taken.
   *
   * @param zeroed whether they were never written
   */
  record Space(long offset, long length, boolean zeroed) {}

  @Override
  public HostFile file() {
    return file;
  }

  @Override
  public long fileOffset() {
    return spaceOffset + head;
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
    return spaceLength - head - length;
  }

  @Override
  public boolean zeroed() {
    return zeroed;
  }
}

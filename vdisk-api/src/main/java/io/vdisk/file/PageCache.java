package io.vdisk.file;

/** What becomes of the host's page cache while a file is read and written. */
public enum PageCache {
  /** The host keeps there what it likes: the fastest way, and best for what is used again. */
  USED,

  /**
   * As with {@link #USED}, and what is written begins its way to the disk soon rather than when it
   * is flushed: for large copies that end with a flush. A host that does not know how waits for the
   * flush.
   */
  WRITTEN_BACK,

  /**
   * What was read or written is dropped from it again, soon after and at the latest when the file
   * is closed, as far as it is on the disk by then: for large copies, which otherwise displace what
   * others use. What others had there of this file goes, too. A host that does not know how leaves
   * it there.
   */
  DROPPED,

  /**
   * Passed by (O_DIRECT): for disks of guests that have a cache of their own. Fastest where offset,
   * length and memory are multiples of 4096; others cost a copy, and a write of a part of a block
   * waits until it is alone on the file. Where the file system, the Java version or the lack of
   * {@code host-linux} does not let it, the file is opened as with {@link #DROPPED}.
   */
  BYPASSED
}

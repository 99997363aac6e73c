package io.vdisk.backend.tap;

import java.util.List;

/**
 * A ring of a guest of Xen, as its front end tells of it: in Xen's store, or through tapback.
 * Immutable; nothing of it is believed to be there before it is mapped.
 *
 * @param domain the guest, 0 to 65,535
 * @param device the guest's number of the disk
 * @param queue the number of the ring among those of the disk, from 0 on
 * @param grants references of the ring's pages: 1, 2, 4, 8 or 16
 * @param port the guest's end of the event channel
 * @param abi how the guest lays out the ring's entries
 * @param isPersistent whether the guest goes on using the pages it granted, which may stay mapped:
 *     it said so, and it was offered; Linux' front end says so whatever it was offered, and gives
 *     its disk up where a page stayed mapped that it did not mean to keep
 */
public record XenRing(
    int domain,
    int device,
    int queue,
    List<Integer> grants,
    int port,
    RingAbi abi,
    boolean isPersistent) {
  /** Pages of a ring at most: what Linux' own back end offers (XENBUS_MAX_RING_GRANT_ORDER, 4). */
  public static final int MOST_PAGES = 16;

  /**
   * A ring whose list of grants cannot be changed.
   *
   * @throws IllegalArgumentException if a number is out of its range
   */
  public XenRing {
    grants = List.copyOf(grants);
    if (Integer.bitCount(grants.size()) != 1 || grants.size() > MOST_PAGES) {
      throw new IllegalArgumentException("a ring of " + grants.size() + " pages");
    }
    if (domain < 0 || domain > 0xffff || queue < 0) {
      throw new IllegalArgumentException("domain " + domain + ", queue " + queue);
    }
  }

  /** The guest and its disk, for the log. */
  @Override
  public String toString() {
    return "domain " + domain + ", device " + device + (queue == 0 ? "" : ", queue " + queue);
  }
}

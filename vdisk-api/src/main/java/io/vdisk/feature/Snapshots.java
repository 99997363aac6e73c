package io.vdisk.feature;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.List;

/** Earlier states of the disk are kept inside the image. Other requests wait during a change. */
public interface Snapshots {
  /**
   * One earlier state.
   *
   * @param id the image's own word for it, unique in the image
   * @param name the user's word, perhaps of several snapshots
   * @param virtualSize bytes of the disk then
   * @param timestampSeconds when it was made, since 1970-01-01T00:00Z
   * @param vmStateBytes saved memory and devices of a virtual machine; 0 if there are none
   * @param vmClockNanos how long the guest had run
   */
  record Snapshot(
      String id,
      String name,
      long virtualSize,
      long timestampSeconds,
      long vmStateBytes,
      long vmClockNanos) {}

  /** The states that are kept, in the image's order. */
  List<Snapshot> list() throws IOException;

  /** Keeps the state of now. */
  Snapshot create(String name) throws IOException;

  /** Makes the disk what it was; what is not in a snapshot is lost. */
  void apply(Snapshot snapshot) throws IOException;

  /** Keeps the state no longer; its space is free for others. */
  void delete(Snapshot snapshot) throws IOException;

  /** Opens the state for reading; to be closed before this device is, or the snapshot deleted. */
  BlockDevice open(Snapshot snapshot) throws IOException;
}

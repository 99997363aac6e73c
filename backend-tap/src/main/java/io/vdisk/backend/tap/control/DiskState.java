package io.vdisk.backend.tap.control;

import java.util.Set;

/** What a list tells of an attached disk (TD_VBD_* of tapdisk-vbd.h). */
public enum DiskState {
  DEAD(0x1),
  /** No image is open: it was closed, or is paused. Right after attaching no bit is set. */
  CLOSED(0x2),
  QUIESCE_REQUESTED(0x4),
  QUIESCED(0x8),
  PAUSE_REQUESTED(0x10),
  PAUSED(0x20),
  SHUTDOWN_REQUESTED(0x40),
  LOCKING(0x80),
  LOG_DROPPED(0x100),
  RESUME_FAILED(0x200);

  private final int bit;

  DiskState(int bit) {
    this.bit = bit;
  }

  /** The bits of several. */
  public static int bits(Set<DiskState> states) {
    return states.stream().mapToInt(state -> state.bit).sum();
  }
}

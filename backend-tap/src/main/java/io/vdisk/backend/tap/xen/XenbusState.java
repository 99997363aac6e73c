package io.vdisk.backend.tap.xen;

import java.util.Optional;

/** Where one side of a device is, as it says in the store ({@code io/xenbus.h}, XenbusState). */
public enum XenbusState {
  /** The side said nothing that makes sense. */
  UNKNOWN(0),
  /** Its half of the nodes was made. */
  INITIALISING(1),
  /** A back end that waits for the guest's ring. */
  INIT_WAIT(2),
  /** A front end whose ring can be mapped. */
  INITIALISED(3),
  /** The disk is in use. */
  CONNECTED(4),
  /** It wants to end, or was told to. */
  CLOSING(5),
  /** It has let go of everything. */
  CLOSED(6),
  /** Another disk is to come into the place of this one. */
  RECONFIGURING(7),
  /** That has come. */
  RECONFIGURED(8);

  private final int number;

  XenbusState(int number) {
    this.number = number;
  }

  /** The state that a node holds. */
  static XenbusState of(String value) {
    for (XenbusState state : values()) {
      if (state.value().equals(value)) {
        return state;
      }
    }
    return UNKNOWN;
  }

  /** The same of a node that may be missing. */
  static Optional<XenbusState> of(Optional<String> value) {
    return value.map(XenbusState::of);
  }

  /** What its node holds: the number. */
  public String value() {
    return Integer.toString(number);
  }

  /** Whether a front end has told where its ring is. */
  boolean hasRing() {
    return this == INITIALISED || this == CONNECTED;
  }
}

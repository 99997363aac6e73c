package io.vdisk.backend.tap;

import java.io.IOException;

/** A guest's ring makes no sense any longer: nothing in it can be believed. */
final class BrokenRingException extends IOException {
  private static final long serialVersionUID = 1;

  BrokenRingException(String message) {
    super(message);
  }
}

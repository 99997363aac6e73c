package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;

/** What the tables say would make a write hit metadata: the image is to be marked corrupt. */
final class OverlapException extends CorruptImageException {
  private static final long serialVersionUID = 1;

  OverlapException(String message) {
    super(message);
  }
}

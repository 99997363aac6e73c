package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;

/** A tapdisk told that it failed; what fails on the way to it or here is another exception. */
public final class AnsweredException extends DiskException {
  private static final long serialVersionUID = 1;

  AnsweredException(int number, String sentence) {
    super(number, sentence);
  }
}

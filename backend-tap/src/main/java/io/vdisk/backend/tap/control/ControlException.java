package io.vdisk.backend.tap.control;

import java.io.IOException;
import java.util.Objects;

/** What was asked of a tapdisk failed: the number goes over the wire, and the sentence with it. */
public final class ControlException extends IOException {
  private static final long serialVersionUID = 1;

  private final int number;
  private final boolean isAnswer;

  /** A failure with a number of Linux. */
  public ControlException(ErrorNumber number, String sentence) {
    this(number.number(), sentence, false);
  }

  /** A failure that another one caused. */
  public ControlException(ErrorNumber number, String sentence, Throwable cause) {
    this(number, sentence);
    initCause(cause);
  }

  /**
   * A failure with a number that another program gave.
   *
   * @throws IllegalArgumentException if {@code number} is not positive
   */
  public ControlException(int number, String sentence) {
    this(number, sentence, false);
  }

  private ControlException(int number, String sentence, boolean isAnswer) {
    super(Objects.requireNonNull(sentence));
    if (number <= 0) {
      throw new IllegalArgumentException("error number " + number);
    }
    this.number = number;
    this.isAnswer = isAnswer;
  }

  /** A failure as a tapdisk told it. */
  static ControlException answered(int number, String sentence) {
    return new ControlException(number, sentence, true);
  }

  /** Whether a tapdisk told it; otherwise it happened on the way, or here. */
  public boolean isAnswer() {
    return isAnswer;
  }

  /** The number of the error, positive. */
  public int number() {
    return number;
  }

  /** What went wrong, in one sentence. */
  public String sentence() {
    return Objects.requireNonNull(getMessage());
  }
}

package io.vdisk.backend.tap.control;

import java.util.Optional;

/** The drivers of blktap 1 with their numbers (dtypes of tapdisk.h). */
enum PipeDriver {
  AIO(0, "aio", false),
  SYNC(1, "sync", false),
  VMDK(2, "vmdk", true),
  RAM(3, "ram", true),
  QCOW(4, "qcow", false),
  QCOW2(5, "qcow2", false);

  private final int number;
  private final String word;
  private final boolean isShared;

  PipeDriver(int number, String word, boolean isShared) {
    this.number = number;
    this.word = word;
    this.isShared = isShared;
  }

  int number() {
    return number;
  }

  /** The word before the colon. */
  String word() {
    return word;
  }

  /** Whether all its disks are served by one process ("single handler"). */
  boolean isShared() {
    return isShared;
  }

  static Optional<PipeDriver> of(int number) {
    for (PipeDriver driver : values()) {
      if (driver.number == number) {
        return Optional.of(driver);
      }
    }
    return Optional.empty();
  }

  static Optional<PipeDriver> of(String word) {
    for (PipeDriver driver : values()) {
      if (driver.word.equals(word)) {
        return Optional.of(driver);
      }
    }
    return Optional.empty();
  }
}

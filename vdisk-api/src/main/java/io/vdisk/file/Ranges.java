package io.vdisk.file;

/** What every host file checks of its arguments. */
final class Ranges {
  private Ranges() {}

  static void checkOffset(long offset) {
    if (offset < 0) {
      throw new IllegalArgumentException("offset " + offset);
    }
  }

  static void checkLength(long length) {
    if (length < 0) {
      throw new IllegalArgumentException("length " + length);
    }
  }

  static void check(long offset, long length) {
    checkOffset(offset);
    checkLength(length);
  }

  static void checkLimit(long offset, long limit) {
    checkOffset(offset);
    if (limit < 1) {
      throw new IllegalArgumentException("limit " + limit);
    }
  }
}

package io.vdisk.backend.tap;

/**
 * What a guest asks for. The codes are those of blkif ({@code xen/include/public/io/blkif.h});
 * rings of blktap carry the first two only.
 */
enum TapOperation {
  /** The segments are filled. */
  READ(0),

  /** The segments are stored. */
  WRITE(1),

  /**
   * What was asked for before is done and durable before this write, and this write before what
   * comes after. Without segments it is the barrier alone.
   */
  WRITE_BARRIER(2),

  /**
   * What was answered before becomes durable; then the segments are stored, if there are any
   * (Linux' own back end reads it so).
   */
  FLUSH(3),

  /** The sectors' content is of no use any longer. */
  DISCARD(5),

  /** A read or a write whose segments lie in pages of their own. */
  INDIRECT(6);

  private static final TapOperation[] BY_CODE = new TapOperation[INDIRECT.code + 1];

  static {
    for (TapOperation operation : values()) {
      BY_CODE[operation.code] = operation;
    }
  }

  private final int code;

  TapOperation(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  /** True if {@code code} is that of an operation. */
  static boolean isKnown(int code) {
    return code >= 0 && code < BY_CODE.length && BY_CODE[code] != null;
  }

  /** The operation of a code that is known. */
  static TapOperation of(int code) {
    return BY_CODE[code];
  }
}

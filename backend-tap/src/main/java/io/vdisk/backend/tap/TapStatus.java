package io.vdisk.backend.tap;

/** The answer to a request ({@code BLKIF_RSP_*} of Xen's {@code xen/include/public/io/blkif.h}). */
enum TapStatus {
  OKAY(0),
  ERROR(-1),
  UNSUPPORTED(-2);

  private final short code;

  TapStatus(int code) {
    this.code = (short) code;
  }

  short code() {
    return code;
  }
}

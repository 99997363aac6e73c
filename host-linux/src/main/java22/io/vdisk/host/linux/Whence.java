package io.vdisk.host.linux;

/** What lseek(2) is asked for. Source: linux/fs.h. */
enum Whence {
  END(2),
  DATA(3),
  HOLE(4);

  private final int number;

  Whence(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}

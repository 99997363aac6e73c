package io.vdisk.bench.compare;

/**
 * How large the inputs are.
 *
 * @param small MiB of the disk that is converted
 * @param compressed MiB of the disk that is compressed, which takes longest
 * @param sparse MiB of the disk that is nearly empty
 * @param tables GiB of the empty image of which all tables are there
 */
record Scale(long small, long compressed, long sparse, long tables) {
  static final Scale FULL = new Scale(2048, 512, 65_536, 1024);
  static final Scale QUICK = new Scale(256, 64, 8192, 128);
}

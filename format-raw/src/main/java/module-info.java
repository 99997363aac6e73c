/** Raw images for vdisk. */
module io.vdisk.format.raw {
  requires io.vdisk;
  requires static org.jspecify;

  provides io.vdisk.spi.ImageFormat with
      io.vdisk.format.raw.RawFormat;
}

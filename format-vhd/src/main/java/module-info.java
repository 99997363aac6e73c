/** VHD and VHDX images for vdisk. */
module io.vdisk.format.vhd {
  requires com.google.common;
  requires io.vdisk;
  requires static org.jspecify;

  provides io.vdisk.spi.ImageFormat with
      io.vdisk.format.vhd.VhdFormat,
      io.vdisk.format.vhdx.VhdxFormat;
}

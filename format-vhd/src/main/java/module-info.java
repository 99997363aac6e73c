/** VHD images for vdisk. */
module io.vdisk.format.vhd {
  requires com.google.common;
  requires io.vdisk;
  requires static org.jspecify;
}

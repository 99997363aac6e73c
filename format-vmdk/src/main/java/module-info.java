/** VMDK images for vdisk. */
module io.vdisk.format.vmdk {
  requires com.google.common;
  requires io.vdisk;
  requires org.apache.commons.io;
  requires static org.jspecify;

  provides io.vdisk.spi.ImageFormat with
      io.vdisk.format.vmdk.VmdkFormat;
}

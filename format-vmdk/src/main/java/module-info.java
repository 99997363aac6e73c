/** VMDK images for vdisk, and OVA archives that hold them. */
@SuppressWarnings("requires-automatic") // optional, and no better name for it is to be had
module io.vdisk.format.vmdk {
  requires com.google.common;
  requires io.vdisk;
  requires java.xml;
  requires static org.apache.commons.compress;
  requires static org.jspecify;

  provides io.vdisk.spi.ImageFormat with
      io.vdisk.format.vmdk.OvaFormat,
      io.vdisk.format.vmdk.VmdkFormat;
}

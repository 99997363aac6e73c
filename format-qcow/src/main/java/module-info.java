/** qcow and qcow2 images for vdisk. */
module io.vdisk.format.qcow {
  requires com.google.common;
  requires io.vdisk;
  requires static com.github.luben.zstd_jni;
  requires static org.jspecify;

  provides io.vdisk.spi.ImageFormat with
      io.vdisk.format.qcow.QcowFormat,
      io.vdisk.format.qcow2.Qcow2Format;
}

/** Virtual disk images: the API, the SPI for formats, and the engine between them. */
@SuppressWarnings("module") // host-linux and backend-tap are compiled later than this module
module io.vdisk {
  requires com.google.common;
  requires static transitive org.jspecify;

  exports io.vdisk;
  exports io.vdisk.feature;
  exports io.vdisk.file;
  exports io.vdisk.file.host to
      io.vdisk.host.linux,
      io.vdisk.backend.tap;
  exports io.vdisk.spi;
  exports io.vdisk.spi.codec;
  exports io.vdisk.spi.metadata;
  exports io.vdisk.spi.struct;

  uses io.vdisk.file.host.HostSystem;
  uses io.vdisk.spi.ImageFormat;
}

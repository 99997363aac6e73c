/** Virtual disk images: the API, the SPI for formats, and the engine between them. */
module io.vdisk {
  requires com.google.common;
  requires static transitive org.jspecify;

  exports io.vdisk;
}

/** The blktap back end of vdisk. */
module io.vdisk.backend.tap {
  requires com.google.common;
  requires java.xml;
  requires transitive io.vdisk;
  requires static org.jspecify;

  exports io.vdisk.backend.tap;
  exports io.vdisk.backend.tap.control;
  exports io.vdisk.backend.tap.disk;
  exports io.vdisk.backend.tap.xen;
}

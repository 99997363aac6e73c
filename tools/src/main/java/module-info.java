/** The command line of vdisk. */
module io.vdisk.tools {
  requires io.vdisk;
  requires io.vdisk.backend.tap;
  requires org.apache.commons.io;
  requires static org.jspecify;

  provides System.LoggerFinder with
      io.vdisk.tools.LogLines;
}

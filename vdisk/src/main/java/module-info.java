/** The API and every format. */
module io.vdisk.all {
  requires transitive io.vdisk;
  requires io.vdisk.format.qcow;
  requires io.vdisk.format.raw;
  requires io.vdisk.format.vhd;
  requires io.vdisk.format.vmdk;
}

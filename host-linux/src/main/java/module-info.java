/** System calls of Linux for vdisk. Exports nothing: {@code io.vdisk} finds the provider. */
module io.vdisk.host.linux {
  requires io.vdisk;
  requires static org.jspecify;

  provides io.vdisk.file.host.HostSystem with
      io.vdisk.host.linux.LinuxSystem;
}

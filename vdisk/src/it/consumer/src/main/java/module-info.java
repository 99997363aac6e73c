/** A user of vdisk that also brings a format of its own. */
module com.example.consumer {
  requires io.vdisk;
  requires java.management; // for counting threads

  provides io.vdisk.spi.ImageFormat with
      com.example.consumer.LinkFormat;
}

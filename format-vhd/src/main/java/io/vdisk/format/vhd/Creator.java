package io.vdisk.format.vhd;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Who made an image. It decides what the size of the disk is: Virtual PC, Virtual Server and QEMU
 * (without {@code force_size}) mean what the geometry reaches, all others that are known (Hyper-V
 * "win ", QEMU "qem2", Xen "tap", disk2vhd "d2v ", VirtualBox "vbox", Azure "wa") the current size.
 *
 * @param application the four letters of "Creator Application", as a number
 * @param version two bytes of major, two of minor version
 * @param hostOs the four letters of "Creator Host OS", as a number
 */
record Creator(long application, long version, long hostOs) {
  /** QEMU with {@code force_size}: its readers take the current size. */
  static final Creator QEMU_EXACT = new Creator(code("qem2"), 0x0005_0003, code("Wi2k"));

  /** QEMU: its readers take what the geometry reaches. */
  static final Creator QEMU = new Creator(code("qemu"), 0x0005_0003, code("Wi2k"));

  /** Xen's tools, of the version that has a batmap. */
  static final Creator TAP = new Creator(code("tap\0"), 0x0001_0003, 0);

  private static final long VIRTUAL_PC = code("vpc ");
  private static final long VIRTUAL_SERVER = code("vs  ");

  /** Versions of Xen's tools that are told apart: major, minor. */
  private static final long VERSION_0_1 = 0x0000_0001;

  private static final long VERSION_1_1 = 0x0001_0001;
  private static final long VERSION_1_2 = 0x0001_0002;

  private static long code(String letters) {
    return ByteBuffer.wrap(letters.getBytes(StandardCharsets.US_ASCII)).getInt() & 0xffff_ffffL;
  }

  /** Its letters without what pads them; what is no letter is a question mark. */
  String name() {
    StringBuilder letters = new StringBuilder();
    for (int shift = 24; shift >= 0; shift -= 8) {
      int letter = (int) (application >>> shift) & 0xff;
      if (letter != 0) {
        letters.append(letter >= ' ' && letter < 127 ? (char) letter : '?');
      }
    }
    return letters.toString().strip();
  }

  /** Whether a disk ends where its geometry does. */
  boolean meansGeometry() {
    return application == VIRTUAL_PC
        || application == VIRTUAL_SERVER
        || application == QEMU.application;
  }

  /** Whether Xen's tools made it. */
  boolean isTap() {
    return application >>> 8 == TAP.application >>> 8;
  }

  /** Whether it is of the tools that hid images without changing the checksum. */
  boolean isEarlyTap() {
    return isTap() && (version == VERSION_0_1 || version == VERSION_1_1);
  }

  /** Whether there is a batmap. */
  boolean hasBatmap() {
    return isTap() && version >= VERSION_1_2;
  }

  /** Whether there is a batmap if its cookie is there. */
  boolean mayHaveBatmap() {
    return isTap() && version == VERSION_1_1;
  }

  @Override
  public String toString() {
    return name() + " " + (version >>> 16) + "." + (version & 0xffff);
  }
}

package io.vdisk.spi.codec;

/** Which number a sector has for its cipher. */
public enum SectorNumber {
  /** Where the guest sees it: qcow's own AES, VHD. */
  GUEST,
  /** Where it lies in the host file: LUKS in qcow2. */
  HOST
}

package io.vdisk.feature;

import java.io.IOException;
import java.util.List;

/** The image's key is enciphered once for each of several passphrases (LUKS). */
public interface KeySlots {
  /** Numbers of the slots that hold the key, from 0. */
  List<Integer> used() throws IOException;

  /** How many slots there are. */
  int capacity();

  /**
   * Puts the key into a free slot under another passphrase.
   *
   * @param passphrase read during the call and not kept; the caller wipes it
   * @return the number of the slot
   * @throws IOException if no slot is free
   */
  int add(char[] passphrase) throws IOException;

  /**
   * Changes a passphrase: adds the new one, and erases the old one when the new one is durable. At
   * every instant one of them opens the image.
   *
   * @param slot of the old passphrase
   * @return the number of the new one's slot
   * @throws IOException if no slot is free
   */
  default int replace(int slot, char[] passphrase) throws IOException {
    int added = add(passphrase);
    erase(slot);
    return added;
  }

  /**
   * Overwrites a slot.
   *
   * @throws IOException if it is the last that is used: the disk could never be read again; or if
   *     it is not used
   */
  void erase(int slot) throws IOException;
}

package io.vdisk.feature;

import io.vdisk.UnsupportedImageException;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

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
   * Puts the key into a chosen slot, or lets guessing take a chosen time.
   *
   * @param passphrase read during the call and not kept; the caller wipes it
   * @param slot not in use; empty: any
   * @param millis that an attempt shall take on this machine; empty: as long as at the other slots
   * @return the number of the slot
   * @throws IOException if the slot is in use, or none is free
   */
  default int add(char[] passphrase, OptionalInt slot, OptionalLong millis) throws IOException {
    if (slot.isPresent() || millis.isPresent()) {
      throw new UnsupportedImageException("neither slot nor time of a key can be chosen here");
    }
    return add(passphrase);
  }

  /**
   * Numbers of the slots that a passphrase opens; takes the time of an attempt at each.
   *
   * @param passphrase read during the call and not kept; the caller wipes it
   */
  default List<Integer> openedBy(char[] passphrase) throws IOException {
    throw new UnsupportedImageException("slots are known by their numbers alone here");
  }

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

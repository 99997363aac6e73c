package io.vdisk.spi;

import io.vdisk.BlockDevice;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.Secrets;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.CacheBudget;
import java.io.IOException;
import java.util.Optional;

/**
 * What a format is given to open one image. Owns all that it hands out: closed with the device, or
 * at once if opening fails. One thread.
 */
public interface OpenContext {
  /** What the caller asked for. */
  OpenOptions options();

  /** What to refuse. */
  Limits limits();

  /** Who knows passphrases and keys. */
  Secrets secrets();

  /** Whether the image is to be written. */
  boolean writable();

  /** The memory for tables, shared by the chain; for {@code TableCache}. */
  CacheBudget cacheBudget();

  /**
   * The device of an image.
   *
   * @param layout owned by the device from here on
   * @param backing what {@link #backing} returned
   */
  BlockDevice device(ImageLayout layout, Optional<BlockDevice> backing);

  /**
   * A device for reading another state of an image that is open already: a snapshot. Closing it
   * closes the layout and nothing else.
   *
   * @param backing what {@link #backing} returned
   */
  BlockDevice view(ImageLayout layout, Optional<BlockDevice> backing);

  /**
   * The backing device: the caller's own if there is one, otherwise what {@code reference} names,
   * opened read-only through the policy with the format that it records.
   *
   * @param reference what the image names; empty if it names none
   * @return empty if there is none
   */
  Optional<BlockDevice> backing(Optional<Reference> reference) throws IOException;

  /** Another file of this image (an extent, a data file), opened through the policy. */
  HostFile file(Reference reference) throws IOException;
}

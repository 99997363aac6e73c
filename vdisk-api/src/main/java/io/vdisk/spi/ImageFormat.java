package io.vdisk.spi;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.Measurement;
import io.vdisk.OpenOptions;
import io.vdisk.SequentialSource;
import io.vdisk.SequentialTarget;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;

/**
 * A disk image format: recognises, opens and creates images. Found by {@link
 * java.util.ServiceLoader}; stateless, so that one instance serves all threads.
 */
public interface ImageFormat {
  /** The format's name in lower case: "qcow2". No two formats have the same. */
  String name();

  /** Other names by which it may be asked for: "vpc" for "vhd". */
  default List<String> aliases() {
    return List.of();
  }

  /** How sure this is that {@code file} is one of its images; reads little, changes nothing. */
  Probe probe(HostFile file) throws IOException;

  /**
   * Opens an image, normally by {@code return context.device(new XyzLayout(...), backing)}. Nothing
   * is written before the whole of what the format checks at opening has been found right.
   *
   * @param file the image; stays the context's
   */
  BlockDevice open(HostFile file, OpenContext context) throws IOException;

  /**
   * Makes an image in an empty file, or in one that cannot grow and holds anything, such as a block
   * device. The header is written last, so that half an image is none; nothing is written before
   * the options are found right.
   *
   * @param file writable; stays the caller's, who deletes it if this fails
   */
  default void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    throw new UnsupportedImageException(name() + " images cannot be created");
  }

  /**
   * What can be chosen when an image is created: the format's own options, beside which it refuses
   * any, and those that {@link CreateOptions} has methods for. Empty: none is declared, as by a
   * format whose images cannot be created.
   */
  default List<FormatOption> creationOptions() {
    return List.of();
  }

  /**
   * What of an image can be changed afterwards: by {@link io.vdisk.feature.Amending}, or by the
   * features that {@link FormatOption} names. A single image may have less than that.
   */
  default List<FormatOption> amendableOptions() {
    return List.of();
  }

  /**
   * How large the file of a new image would become. Makes nothing, and reads no data of the source.
   *
   * @param source what the image would be converted from; empty: it is new
   * @param options as for {@link #create}, with a virtual size
   */
  default Measurement measure(Optional<BlockDevice> source, CreateOptions options)
      throws IOException {
    throw new UnsupportedImageException("the size of " + name() + " images cannot be measured");
  }

  /** Reads an image in the order in which it arrives. */
  default SequentialSource openStream(InputStream in, OpenOptions options) throws IOException {
    throw new UnsupportedImageException(name() + " images cannot be read as a stream");
  }

  /** Writes an image to something that cannot seek. */
  default SequentialTarget createStream(OutputStream out, CreateOptions options)
      throws IOException {
    throw new UnsupportedImageException(name() + " images cannot be written as a stream");
  }

  /** Whether images of these options are written as a stream alone, and not created empty. */
  default boolean isWrittenAsStream(CreateOptions options) {
    return false;
  }

  /** Whether images are read by {@link #openStream} alone. */
  default boolean isReadAsStream() {
    return false;
  }
}

package io.vdisk.format.qcow2;

import io.vdisk.Progress;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.IoCallable;
import java.io.IOException;

/**
 * Changes of an image as a whole: by one thread that is alone on it, with everything written back
 * before, and the tables read again afterwards. A change orders its writes by flushing between
 * them.
 */
final class Alterations {
  final Metadata metadata;
  final HeaderMarks marks;
  private final boolean writable;
  private final Exclusive exclusive;

  Alterations(Metadata metadata, HeaderMarks marks, boolean writable, Exclusive exclusive) {
    this.metadata = metadata;
    this.marks = marks;
    this.writable = writable;
    this.exclusive = exclusive;
  }

  /** Looks at tables, alone. */
  <T> T look(IoCallable<T> body) throws IOException {
    return exclusive.call(
        () -> {
          marks.settle();
          return body.call();
        });
  }

  /**
   * Changes them.
   *
   * @throws IllegalStateException if the image is open for reading alone
   */
  void alter(Metadata.Body body) throws IOException {
    checkWritable();
    boolean unused =
        exclusive.<Boolean>call(
            () -> {
              marks.settle();
              marks.prepareHeader();
              try {
                body.run();
              } catch (OverlapException e) {
                marks.markCorrupt(e);
                throw e;
              }
              return true;
            });
  }

  /**
   * Sees that the image may be changed.
   *
   * @throws IllegalStateException if it is open for reading alone
   */
  void checkWritable() {
    if (!writable) {
      throw new IllegalStateException(
          metadata.file.name() + " is open for reading alone, and cannot be changed");
    }
  }

  /**
   * Refuses an image with errors: what follows believes every table. A leak harms nothing.
   *
   * @throws io.vdisk.CorruptImageException if there are any
   */
  void requireSound() throws IOException {
    new Qcow2Checker(metadata.file, metadata.header(), Progress.NONE).requireSound();
  }

  /** Makes all changes of counts durable. */
  void flush() throws IOException {
    metadata.writeBack.run();
  }
}

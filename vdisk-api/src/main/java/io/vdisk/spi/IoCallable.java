package io.vdisk.spi;

import java.io.IOException;

/** A piece of work that may meet trouble on the host. */
@FunctionalInterface
public interface IoCallable<T> {
  /** Does the work. */
  T call() throws IOException;
}

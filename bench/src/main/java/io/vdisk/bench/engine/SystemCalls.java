package io.vdisk.bench.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Files by the system's own calls, as C would read them. A JVM before 22 cannot make such calls:
 * this class says so there, and younger ones have another of this name.
 */
final class SystemCalls {
  /** Opens a file that exists. */
  interface Opener {
    Disk open(Path file, boolean writable, boolean direct, Places places) throws IOException;
  }

  private SystemCalls() {}

  /** Empty where this JVM cannot. */
  static Optional<Opener> opener() {
    return Optional.empty();
  }
}

package io.vdisk.backend.tap.disk;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Does one thing after another whatever fails, faults of this program included, and tells the first
 * failure. One thread.
 */
public final class FirstFailure {
  /** One of the things. */
  @FunctionalInterface
  public interface Step {
    /** Does it. */
    void run() throws IOException;
  }

  private @Nullable Throwable failure;

  /** Does one thing. */
  public void run(Step step) {
    try {
      step.run();
    } catch (IOException | RuntimeException | Error e) {
      if (failure == null) {
        failure = e;
      } else if (!failure.equals(e)) { // one may be told by several
        failure.addSuppressed(e);
      }
    }
  }

  /** Whether nothing has failed. */
  public boolean isNone() {
    return failure == null;
  }

  /** Throws what failed first, as it is, with the rest in it. */
  public void check() throws IOException {
    if (failure instanceof RuntimeException fault) {
      throw fault;
    }
    if (failure instanceof Error fault) {
      throw fault;
    }
    if (failure != null) {
      throw (IOException) failure;
    }
  }

  /** Puts what failed into another exception, on whose account these things were done. */
  void suppressIn(Throwable reason) {
    if (failure != null) {
      reason.addSuppressed(failure);
    }
  }
}

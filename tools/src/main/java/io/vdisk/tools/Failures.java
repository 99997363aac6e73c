package io.vdisk.tools;

import io.vdisk.ReferenceDeniedException;
import io.vdisk.SecretException;
import io.vdisk.file.FileLockedException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** Says in one sentence what went wrong. */
final class Failures {
  private Failures() {}

  /**
   * Whether {@code failure} is the user's or the host's; otherwise it is a fault of this program.
   */
  static boolean isExpected(Throwable failure) {
    return failure instanceof IOException
        || failure instanceof UncheckedIOException
        || failure instanceof IllegalArgumentException
        || failure instanceof CancellationException
        || failure instanceof NonWritableChannelException
        || failure instanceof OutOfMemoryError;
  }

  /** Prints the sentence after the program's name; with the stack if the program is at fault. */
  static void print(Console console, String program, Throwable failure) {
    print(console.err(), program, failure);
  }

  /** The same to some place. */
  static void print(PrintStream err, String program, Throwable failure) {
    if (isExpected(failure)) {
      err.println(program + ": " + sentence(failure));
    } else {
      err.println(program + ": this is a fault of the program itself");
      failure.printStackTrace(err);
    }
  }

  /** The same, and of each failure that came with it: several disks may have failed. */
  static void printAll(PrintStream err, String program, Throwable failure) {
    print(err, program, failure);
    for (Throwable other : failure.getSuppressed()) {
      printAll(err, program, other);
    }
  }

  /** What went wrong, on one line. */
  static String sentence(Throwable failure) {
    @Nullable Throwable cause = failure.getCause();
    if (failure instanceof UncheckedIOException && cause != null) {
      return sentence(cause);
    }
    if (failure instanceof ReferenceDeniedException) {
      return message(failure)
          + " (--backing-policy any allows it, or within=DIR with a folder that it lies in)";
    }
    if (failure instanceof SecretException && message(failure).endsWith("was given for it")) {
      return message(failure)
          + " (--object secret,id=ID,file=PATH and --source-secret ID give one)";
    }
    if (failure instanceof FileLockedException) {
      return message(failure).replaceFirst(" \\(OpenOptions.*", "")
          + " (vdisk's -U ignores that, where an image is only read)";
    }
    if (failure instanceof NoSuchFileException) {
      return message(failure) + ": no such file";
    }
    if (failure instanceof AccessDeniedException) {
      return message(failure) + ": permission denied";
    }
    if (failure instanceof FileAlreadyExistsException) {
      return message(failure) + ": exists already";
    }
    if (failure instanceof InvalidPathException) {
      return "not a file name: " + message(failure);
    }
    if (failure instanceof OutOfMemoryError) {
      return "not enough memory: " + message(failure);
    }
    if (failure instanceof FileSystemException || hasMessage(failure)) {
      return message(failure);
    }
    return failure.getClass().getSimpleName();
  }

  private static boolean hasMessage(Throwable failure) {
    return failure.getMessage() != null;
  }

  private static String message(Throwable failure) {
    @Nullable String message = failure.getMessage();
    return message == null ? "" : message.replace('\n', ' ');
  }
}

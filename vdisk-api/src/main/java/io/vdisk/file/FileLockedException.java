package io.vdisk.file;

import java.io.IOException;

/**
 * Somebody else uses the file in a way that goes ill with what was asked: nobody may write to an
 * image that another one has open, nor read what another one is writing.
 */
public final class FileLockedException extends IOException {
  private static final long serialVersionUID = 1;

  private final String file;

  /** The message says which file, who has it open, and which option would ignore that. */
  FileLockedException(String file, String holder) {
    super(file + " is locked: " + holder + " (OpenOptions.withoutLock() would ignore that)");
    this.file = file;
  }

  /** The file's name. */
  public String file() {
    return file;
  }
}

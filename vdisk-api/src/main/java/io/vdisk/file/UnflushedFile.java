package io.vdisk.file;

import java.io.IOException;

/**
 * A host file whose flush does nothing: for targets that can be made again. What was written is
 * safe from the end of this process, not from a power cut. Owns the other file.
 */
public final class UnflushedFile extends ForwardingFile {
  /** The same file without durability. */
  public UnflushedFile(HostFile file) {
    super(file);
  }

  /** Does nothing on an open file: no flush of the host, hence none that could have failed. */
  @Override
  public void flush() throws IOException {
    long unused = size(); // a closed file says so here too
  }
}

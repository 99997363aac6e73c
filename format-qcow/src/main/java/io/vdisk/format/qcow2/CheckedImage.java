package io.vdisk.format.qcow2;

import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * An image as a check reads it: from the file, nothing cached, and zero where the file has ended.
 * One thread.
 */
final class CheckedImage {
  /** Most clusters of a file that is checked: QEMU's limit, and ours for the memory it takes. */
  static final long MAX_CLUSTERS = Integer.MAX_VALUE;

  /** Words are read in pieces of this many bytes. */
  private static final int PIECE = 64 << 10;

  final HostFile file;
  final Qcow2Header header;
  final int clusterBits;
  final long clusterSize;
  final long fileSize;

  private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);

  CheckedImage(HostFile file, Qcow2Header header) throws IOException {
    this.file = file;
    this.header = header;
    this.clusterBits = header.clusterBits;
    this.clusterSize = header.clusterSize();
    this.fileSize = file.size();
  }

  /** Clusters of the file, the last perhaps in part. */
  long clusters() {
    return fileSize / clusterSize + (fileSize % clusterSize == 0 ? 0 : 1);
  }

  long cluster(long offset) {
    return offset >>> clusterBits;
  }

  boolean isAligned(long offset) {
    return offset % clusterSize == 0;
  }

  ByteBuffer read(long offset, long length) throws IOException {
    return read(offset, ByteBuffer.allocate(Math.toIntExact(length)));
  }

  /** Fills a buffer with a table; what is not in the file is zero. */
  ByteBuffer read(long offset, ByteBuffer bytes) throws IOException {
    bytes.clear();
    if (offset >= 0 && offset < fileSize) {
      file.readPadded(bytes, offset);
    } else {
      Zeroes.fill(bytes);
    }
    return bytes.clear();
  }

  /** Takes a word of a table that is not 0, and where it lies in the file. */
  interface Word {
    void at(long offset, long word) throws IOException;
  }

  /** Goes through the words between two offsets that are not 0, as far as the file goes. */
  void eachWord(long from, long to, Word body) throws IOException {
    long end = Math.min(to, fileSize);
    for (long at = from; at < end; ) {
      int length = (int) Math.min(PIECE, end - at + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
      piece.clear().limit(length);
      file.readPadded(piece, at);
      piece.flip();
      long[] words = new long[length / Long.BYTES];
      piece.asLongBuffer().get(words);
      for (int i = 0; i < words.length; i++) {
        if (words[i] != 0) {
          body.at(at + (long) i * Long.BYTES, words[i]);
        }
      }
      at += length;
    }
  }
}

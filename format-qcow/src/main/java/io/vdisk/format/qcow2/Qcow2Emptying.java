package io.vdisk.format.qcow2;

import io.vdisk.feature.Emptying;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.Refcounts.Space;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Forgets all clusters by one write of the header, which names an empty L1 table. */
final class Qcow2Emptying implements Emptying {
  private static final int PIECE = 1 << 20;

  private final Alterations alterations;

  Qcow2Emptying(Alterations alterations) {
    this.alterations = alterations;
  }

  @Override
  public void empty() throws IOException {
    alterations.alter(this::forget);
  }

  private void forget() throws IOException {
    Metadata metadata = alterations.metadata;
    Qcow2Header header = metadata.header();
    alterations.requireSound();
    int bytes = Math.max(1, header.l1Entries) * Long.BYTES;
    Space space = metadata.refcounts().takeRun(bytes);
    metadata.file.write(ByteBuffer.allocate(bytes), space.offset());
    alterations.flush();
    new HeaderUpdate(metadata.file, header)
        .set(Qcow2Header.L1_TABLE_OFFSET, space.offset())
        .write();
    if (header.hasDataFile()
        && !metadata.dataFile.zero(0, header.virtualSize, false)
        && header.isDataFileRaw()) {
      writeZeroes(metadata.dataFile, header.virtualSize); // who reads it by itself sees no tables
    }
    new ClusterTree(metadata, header.l1TableOffset, header.l1Entries).remove();
    metadata.refcounts().free(header.l1TableOffset, (long) header.l1Entries * Long.BYTES);
  }

  private static void writeZeroes(HostFile file, long length) throws IOException {
    long end = Math.min(length, file.size());
    ByteBuffer zeroes = ByteBuffer.allocate((int) Math.min(PIECE, end));
    for (long at = 0; at < end; at += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), end - at));
      file.write(zeroes.duplicate(), at);
    }
    file.flush();
  }
}

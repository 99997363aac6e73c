package io.vdisk.bench.engine;

import java.io.IOException;

/** Writes of which each needs a new cluster. */
public class Allocating extends Fresh {
  @Override
  Batch batch(Folder folder) {
    return Batch.of(folder.bytes(), size, order);
  }

  @Override
  Disk make(Subject asked, Folder folder) throws IOException {
    return asked == Subject.ENGINE ? new DeviceDisk(empty(folder)) : sparse(asked, folder);
  }
}

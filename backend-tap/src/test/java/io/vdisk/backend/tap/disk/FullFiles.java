package io.vdisk.backend.tap.disk;

import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Opens what images name on a host that runs out of space when a test says so. */
final class FullFiles implements ReferencePolicy {
  volatile boolean isFull;

  @Override
  public HostFile open(Reference reference) throws IOException {
    return new Limited(ReferencePolicy.any().open(reference));
  }

  @Override
  public HostFile create(Reference reference) throws IOException {
    return ReferencePolicy.any().create(reference);
  }

  private final class Limited extends ForwardingFile {
    Limited(HostFile file) {
      super(file);
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      if (isFull) {
        throw new IOException(name() + ": No space left on device");
      }
      super.write(src, offset);
    }
  }
}

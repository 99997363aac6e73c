package io.vdisk.backend.tap.disk;

import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import java.io.IOException;

/** Opens what images name on a host that cannot make anything durable while a test says so. */
final class FailingFiles implements ReferencePolicy {
  volatile boolean failsToFlush;

  @Override
  public HostFile open(Reference reference) throws IOException {
    return new Failing(ReferencePolicy.any().open(reference));
  }

  @Override
  public HostFile create(Reference reference) throws IOException {
    return ReferencePolicy.any().create(reference);
  }

  private final class Failing extends ForwardingFile {
    Failing(HostFile file) {
      super(file);
    }

    @Override
    public void flush() throws IOException {
      if (failsToFlush) {
        throw new IOException(name() + ": the host cannot flush");
      }
      super.flush();
    }
  }
}

package io.vdisk.testkit.toy;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Images of a toy in memory, and which device is whose. One thread. */
final class ToyDisks {
  private final ToySubject subject;
  private final Map<BlockDevice, List<HostFile>> files = new IdentityHashMap<>();

  ToyDisks(ToySubject subject) {
    this.subject = subject;
  }

  BlockDevice create(long size, Optional<BlockDevice> backing) throws IOException {
    List<HostFile> images = new ArrayList<>();
    for (int i = 0; i < subject.files(); i++) {
      images.add(new MemoryFile("image " + i));
    }
    subject.create(images, size, backing);
    return open(images, true, backing);
  }

  BlockDevice reopen(BlockDevice device, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    device.close();
    return open(files.get(device), writable, backing);
  }

  private BlockDevice open(List<HostFile> images, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    BlockDevice device = subject.open(images, writable, backing);
    files.put(device, images);
    return device;
  }
}

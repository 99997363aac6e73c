package io.vdisk.backend.tap;

import io.vdisk.file.host.NativeMemory;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Pages of another domain that are mapped here, one behind the other, until this is closed. */
final class MappedGrants implements Closeable {
  private final GrantTable table;
  private final NativeMemory memory;
  private final long index;
  private final int count;

  /** What a table mapped: so many pages, which the kernel knows by this index. */
  MappedGrants(GrantTable table, NativeMemory memory, long index, int count) {
    this.table = table;
    this.memory = memory;
    this.index = index;
    this.count = count;
  }

  /** The pages, in the byte order of the host. */
  ByteBuffer buffer() {
    return memory.buffer();
  }

  /** Unmaps them, once; nobody may be using them. */
  @Override
  public void close() throws IOException {
    memory.close();
    table.release(index, count);
  }
}

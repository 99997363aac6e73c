package io.vdisk.host.linux;

import io.vdisk.file.host.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A mapping of the kernel's, until it is closed. */
final class LinuxMemory implements NativeMemory {
  private final Arena arena = Arena.ofShared();
  private final ByteBuffer buffer;

  /** Owns the mapping at this address. */
  @SuppressWarnings("restricted") // the kernel said that so much is there
  LinuxMemory(long address, int length) {
    this.buffer =
        MemorySegment.ofAddress(address)
            .reinterpret(length, arena, mapped -> unmap(mapped, length))
            .asByteBuffer()
            .order(ByteOrder.nativeOrder());
  }

  private static void unmap(MemorySegment mapped, long length) {
    SystemCall.MUNMAP.run(mapped.address(), MemorySegment.ofAddress(length), 0, 0, 0);
  }

  @Override
  public ByteBuffer buffer() {
    return buffer;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}

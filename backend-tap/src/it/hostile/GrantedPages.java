import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Pages of this domain that the back end, in the same domain, may map and copy. By {@code
 * /dev/xen/gntalloc} (Linux, {@code include/uapi/xen/gntalloc.h}).
 */
final class GrantedPages {
  static final int PAGE = 4096;

  private static final int ALLOCATE = 0x184705;
  private static final int DEALLOCATE = 0x104706;
  private static final short WRITABLE = 1;

  private final NativeDevice device;
  private final NativeMemory memory;
  private final long index;
  private final int[] references;

  private GrantedPages(NativeDevice device, NativeMemory memory, long index, int[] references) {
    this.device = device;
    this.memory = memory;
    this.index = index;
    this.references = references;
  }

  static GrantedPages allocate(int count) throws IOException {
    NativeDevice device =
        HostSystem.installed().orElseThrow().openDevice(Path.of("/dev/xen/gntalloc"));
    // u16 domain, u16 flags, u32 count, u64 index (out), u32 references (out)
    ByteBuffer request = direct(16 + Math.max(2, count) * Integer.BYTES);
    request.putShort(2, WRITABLE).putInt(4, count);
    int unused = device.control(ALLOCATE, request);
    long index = request.getLong(8);
    int[] references = new int[count];
    for (int i = 0; i < count; i++) {
      references[i] = request.getInt(16 + i * Integer.BYTES);
    }
    return new GrantedPages(device, device.map(index, count * PAGE), index, references);
  }

  static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  int count() {
    return references.length;
  }

  int reference(int page) {
    return references[page];
  }

  ByteBuffer buffer() {
    return memory.buffer().order(ByteOrder.nativeOrder());
  }

  void fill(int page, byte value) {
    ByteBuffer buffer = buffer();
    for (int at = page * PAGE; at < (page + 1) * PAGE; at++) {
      buffer.put(at, value);
    }
  }

  boolean isFilled(int page, byte value) {
    ByteBuffer buffer = buffer();
    for (int at = page * PAGE; at < (page + 1) * PAGE; at++) {
      if (buffer.get(at) != value) {
        return false;
      }
    }
    return true;
  }

  /** Takes the pages back, whoever uses them. The kernel waits with those that are mapped. */
  void revoke() throws IOException {
    memory.close();
    ByteBuffer request = direct(16);
    request.putLong(0, index).putInt(8, references.length);
    int unused = device.control(DEALLOCATE, request);
    device.close();
  }
}

package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** The kernel's device before Xen's store. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class StoreDeviceTest {
  /** Answers each read of a node with its path, as the kernel does: header and payload apart. */
  private static final class Xenbus implements NativeDevice {
    final List<Integer> writes = new ArrayList<>();
    private final BlockingQueue<byte[]> answers = new LinkedBlockingQueue<>();
    private byte[] next = {};
    private volatile boolean isClosed;
    String refusal = "";

    @Override
    public int write(ByteBuffer src) throws IOException {
      if (!refusal.isEmpty()) {
        throw new IOException(refusal);
      }
      assertTrue(src.isDirect());
      byte[] message = new byte[src.remaining()];
      src.get(message);
      writes.add(message.length);
      byte[] header = Arrays.copyOf(message, 16);
      byte[] payload = Arrays.copyOfRange(message, 16, message.length - 1);
      ByteBuffer.wrap(header).order(ByteOrder.nativeOrder()).putInt(12, payload.length);
      answers.add(header);
      answers.add(payload);
      return message.length;
    }

    @Override
    public boolean await() throws IOException {
      try {
        next = answers.take();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      return !isClosed;
    }

    @Override
    public int read(ByteBuffer dst) {
      assertTrue(dst.isDirect());
      dst.put(next);
      return next.length;
    }

    @Override
    public void wake() {
      answers.add(new byte[0]);
    }

    @Override
    public void close() {
      isClosed = true;
      wake();
    }

    @Override
    public int control(long request, long argument) {
      throw new AssertionError("not asked");
    }

    @Override
    public int control(long request, ByteBuffer argument) {
      throw new AssertionError("not asked");
    }

    @Override
    public NativeMemory map(long offset, int length) {
      throw new AssertionError("not asked");
    }
  }

  private final Xenbus xenbus = new Xenbus();

  @Test
  void aMessageIsWrittenAtOnceAndReadInParts() throws Exception {
    try (XenStore store = XenStore.begin(new StoreDevice(xenbus))) {
      assertEquals("/a", store.read("/a"));
      assertEquals("/b/c", store.read("/b/c"));
      assertEquals(List.of(19, 21), xenbus.writes);
    }
  }

  @Test
  void whatTheKernelRefusesIsThatRequestsAlone() throws Exception {
    try (XenStore store = XenStore.begin(new StoreDevice(xenbus))) {
      xenbus.refusal = "Invalid argument";
      IOException e = assertThrows(StoreException.class, () -> store.read("/a"));
      assertEquals("the kernel refuses a request to the store: Invalid argument", e.getMessage());
      xenbus.refusal = "";
      assertEquals("/a", store.read("/a"));
    }
  }
}

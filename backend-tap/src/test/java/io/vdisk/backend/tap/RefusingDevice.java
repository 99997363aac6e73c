package io.vdisk.backend.tap;

import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeException;
import io.vdisk.file.host.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A device that can be opened and mapped, and then refuses each control call. */
record RefusingDevice(NativeDevice device) implements NativeDevice {
  private static final int EINVAL = 22;

  @Override
  public int control(long request, long argument) throws NativeException {
    throw new NativeException(EINVAL, "refused");
  }

  @Override
  public int control(long request, ByteBuffer argument) throws NativeException {
    throw new NativeException(EINVAL, "refused");
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    return device.read(dst);
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    return device.write(src);
  }

  @Override
  public NativeMemory map(long offset, int length) throws IOException {
    return device.map(offset, length);
  }

  @Override
  public boolean await() throws IOException {
    return device.await();
  }

  @Override
  public void wake() {
    device.wake();
  }

  @Override
  public void close() throws IOException {
    device.close();
  }
}

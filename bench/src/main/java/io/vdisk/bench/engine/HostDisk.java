package io.vdisk.bench.engine;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A bare host file of the library, which {@code owner} closes. */
record HostDisk(Places places, ByteBuffer zeroes, Closeable owner) implements Disk {
  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    places.file().read(dst, places.at(offset));
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    places.file().write(src, places.at(offset));
  }

  @Override
  public void zero(long offset, int length) throws IOException {
    if (!places.file().zero(places.at(offset), length, false)) {
      places.file().write(zeroes.duplicate().limit(length), places.at(offset));
    }
  }

  @Override
  public void close() throws IOException {
    owner.close();
  }
}

package io.vdisk.bench.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** What Java offers everyone. */
record ChannelDisk(FileChannel channel, Places places, ByteBuffer zeroes) implements Disk {
  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    long at = places.at(offset) - dst.position();
    while (dst.hasRemaining() && channel.read(dst, at + dst.position()) > 0) {
      // the rest
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    long at = places.at(offset) - src.position();
    while (src.hasRemaining()) {
      channel.write(src, at + src.position());
    }
  }

  @Override
  public void zero(long offset, int length) throws IOException {
    write(zeroes.duplicate().limit(length), offset);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

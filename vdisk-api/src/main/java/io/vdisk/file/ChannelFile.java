package io.vdisk.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** A channel as a host file. */
final class ChannelFile implements HostFile {
  private final SeekableByteChannel channel;

  ChannelFile(SeekableByteChannel channel) {
    this.channel = channel;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    return Math.max(0, channel.position(offset).read(dst));
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    channel.position(offset).write(src);
  }

  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public void resize(long size) throws IOException {
    channel.truncate(size);
  }

  @Override
  public void flush() {}

  @Override
  public String name() {
    return "channel";
  }

  @Override
  public void close() {}
}

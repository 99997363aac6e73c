package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SeekableByteChannel;
import org.junit.jupiter.api.Test;

/** The device behind {@link Images#channel}. */
abstract class ChannelCases extends DeviceCases {
  ChannelCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void readsFollowEachOtherUpToTheEnd() throws IOException {
    byte[] content = bytes(size(), 1);
    SeekableByteChannel channel = Images.channel(holding(content));
    ByteBuffer all = ByteBuffer.allocate(size() + 100);
    ByteBuffer part = ByteBuffer.allocate(unit() / 3 + 1);
    while (channel.read(part.clear()) >= 0) {
      all.put(part.flip());
      assertEquals(all.position(), channel.position());
    }
    assertEquals(size(), all.position());
    byte[] actual = new byte[size()];
    all.flip().get(actual);
    assertSame(content, actual, 0);
  }

  @Test
  void writesFollowEachOther() throws IOException {
    byte[] content = bytes(size(), 2);
    BlockDevice device = empty();
    SeekableByteChannel channel = Images.channel(device);
    for (int done = 0; done < size(); ) {
      int length = Math.min(unit() / 3 + 1, size() - done);
      assertEquals(length, channel.write(ByteBuffer.wrap(content, done, length)));
      done += length;
      assertEquals(done, channel.position());
    }
    assertHolds(content, device);
  }

  @Test
  void aPositionCanBeChosen() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    SeekableByteChannel channel = Images.channel(device);
    byte[] bytes = bytes(100, 3);
    channel.position(unit() - 50).write(ByteBuffer.wrap(bytes));
    System.arraycopy(bytes, 0, expected, unit() - 50, 100);
    assertHolds(expected, device);
    ByteBuffer one = ByteBuffer.allocate(1);
    assertEquals(1, channel.position(unit()).read(one));
    assertEquals(bytes[50], one.get(0));
  }

  @Test
  void pastTheEndThereIsNothingToRead() throws IOException {
    SeekableByteChannel channel = Images.channel(empty());
    assertEquals(-1, channel.position(size()).read(ByteBuffer.allocate(1)));
    assertEquals(-1, channel.position(size() + 1L).read(ByteBuffer.allocate(1)));
  }

  @Test
  void aWritePastTheEndFailsAndChangesNothing() throws IOException {
    byte[] content = bytes(size(), 4);
    BlockDevice device = holding(content);
    SeekableByteChannel channel = Images.channel(device).position(size() - 1);
    assertThrows(IOException.class, () -> channel.write(ByteBuffer.allocate(2)));
    assertEquals(size() - 1, channel.position());
    assertHolds(content, device);
  }

  @Test
  void aDiskDoesNotShrink() throws IOException {
    byte[] content = bytes(size(), 5);
    BlockDevice device = holding(content);
    SeekableByteChannel channel = Images.channel(device);
    assertThrows(UnsupportedOperationException.class, () -> channel.truncate(size() - 1));
    channel.truncate(size());
    assertEquals(size(), channel.size());
    assertHolds(content, device);
  }

  @Test
  void closingTheChannelLeavesTheDeviceOpen() throws IOException {
    byte[] content = bytes(size(), 6);
    BlockDevice device = holding(content);
    SeekableByteChannel channel = Images.channel(device);
    channel.close();
    channel.close();
    assertFalse(channel.isOpen());
    assertThrows(ClosedChannelException.class, () -> channel.read(ByteBuffer.allocate(1)));
    assertHolds(content, device);
  }
}

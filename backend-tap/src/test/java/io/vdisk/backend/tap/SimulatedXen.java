package io.vdisk.backend.tap;

import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeException;
import io.vdisk.file.host.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The grants of one domain as {@code /dev/xen/gntdev} shows them. A page that is mapped stays when
 * its grant is revoked; a copy does not find it then. Its event channel is {@link SimulatedEvents}.
 */
final class SimulatedXen implements NativeDevice {
  static final int PAGE = 4096;
  static final int DOMAIN = 5;

  private static final int EAGAIN = 11;
  private static final int EINVAL = 22;
  private static final short BAD_REFERENCE = -3;
  private static final short AGAIN = -12;

  /** A part of some memory. */
  private record Part(ByteBuffer memory, int offset) {}

  private final Map<Integer, Part> granted = new ConcurrentHashMap<>();
  private final Map<Long, List<Integer>> maps = new ConcurrentHashMap<>();
  private final ConcurrentSkipListMap<Long, ByteBuffer> addresses = new ConcurrentSkipListMap<>();
  private final AtomicLong nextAddress = new AtomicLong(1L << 40);
  private final AtomicLong nextIndex = new AtomicLong(1);
  final AtomicInteger mapped = new AtomicInteger();
  final AtomicInteger copies = new AtomicInteger();
  final AtomicInteger again = new AtomicInteger(); // so often it is said: try again
  volatile ByteBuffer lastCopy = ByteBuffer.allocate(0);
  volatile boolean isClosed;
  volatile boolean refusesCopies;
  volatile boolean saysUnmappingFailed;
  volatile Runnable beforeCalls = () -> {}; // of those that copy and map

  /** Grants new pages, one behind the other. */
  ByteBuffer grant(int... references) {
    ByteBuffer memory = ByteBuffer.allocateDirect(references.length * PAGE);
    for (int i = 0; i < references.length; i++) {
      granted.put(references[i], new Part(memory, i * PAGE));
    }
    return memory.order(ByteOrder.nativeOrder());
  }

  void revoke(int reference) {
    granted.remove(reference);
  }

  /** Grants the first page of this memory, or grants it again. */
  void grant(int reference, ByteBuffer page) {
    granted.put(reference, new Part(page, 0));
  }

  @Override
  public int control(long request, long argument) {
    throw new AssertionError("no such call: " + request);
  }

  @Override
  public int control(long request, ByteBuffer argument) throws NativeException {
    ByteBuffer structure = argument.slice().order(ByteOrder.nativeOrder());
    if (request == 0x184700) {
      beforeCalls.run();
      map(structure);
    } else if (request == 0x104701) {
      if (maps.remove(structure.getLong(0)).size() != structure.getInt(8)) {
        throw new AssertionError("another count was mapped");
      }
      mapped.decrementAndGet();
      if (saysUnmappingFailed) {
        throw new NativeException(EINVAL, "refused " + structure.getLong(0));
      }
    } else if (request == 0x104708) {
      beforeCalls.run();
      if (refusesCopies) {
        throw new NativeException(14, "refused");
      }
      copy(argument, structure);
    } else {
      throw new AssertionError("no such call: " + request);
    }
    return 0;
  }

  private void map(ByteBuffer structure) {
    List<Integer> references = new ArrayList<>();
    for (int i = 0; i < structure.getInt(0); i++) {
      boolean isOurs = structure.getInt(16 + 8 * i) == DOMAIN;
      references.add(isOurs ? structure.getInt(20 + 8 * i) : -1);
    }
    long index = nextIndex.getAndIncrement() * PAGE;
    maps.put(index, references);
    structure.putLong(8, index);
    mapped.incrementAndGet();
  }

  private void copy(ByteBuffer argument, ByteBuffer structure) {
    copies.incrementAndGet();
    lastCopy = structure;
    Part segments = at(structure.getLong(8));
    if (segments.offset() != 16 || segments.memory().capacity() != argument.capacity()) {
      throw new AssertionError("the segments lie behind the count");
    }
    boolean isAgain = again.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
    for (int i = 0; i < structure.getInt(0); i++) {
      int at = 16 + 24 * i;
      structure.putShort(at + 20, isAgain ? AGAIN : copySegment(structure, at));
    }
  }

  private short copySegment(ByteBuffer structure, int at) {
    boolean toGuest = structure.getShort(at + 18) == 2;
    int foreign = toGuest ? at + 8 : at;
    int offset = structure.getShort(foreign + 4) & 0xffff;
    int length = structure.getShort(at + 16) & 0xffff;
    if (offset + length > PAGE) {
      throw new AssertionError("EINVAL: a segment leaves its page");
    }
    Part page = granted.get(structure.getInt(foreign));
    if (page == null || structure.getShort(foreign + 6) != DOMAIN) {
      return BAD_REFERENCE;
    }
    Part local = at(structure.getLong(toGuest ? at : at + 8));
    if (toGuest) {
      page.memory().put(page.offset() + offset, local.memory(), local.offset(), length);
    } else {
      local.memory().put(local.offset(), page.memory(), page.offset() + offset, length);
    }
    return 0;
  }

  private Part at(long address) {
    Map.Entry<Long, ByteBuffer> memory = addresses.floorEntry(address);
    return new Part(memory.getValue(), (int) (address - memory.getKey()));
  }

  @Override
  public long address(ByteBuffer memory) {
    long address = nextAddress.getAndAdd(1L << 24);
    addresses.put(address, memory.duplicate().clear());
    return address;
  }

  @Override
  public NativeMemory map(long offset, int length) throws IOException {
    if (again.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new NativeException(EAGAIN, "try again");
    }
    List<Integer> references = maps.get(offset);
    Part first = granted.get(references.get(0));
    for (int i = 0; i < references.size(); i++) {
      Part part = granted.get(references.get(i));
      if (first == null || part == null || part.offset() != first.offset() + i * PAGE) {
        throw new NativeException(EINVAL, "Invalid argument");
      }
    }
    ByteBuffer memory = first.memory().slice(first.offset(), length).order(ByteOrder.nativeOrder());
    return new NativeMemory() {
      @Override
      public ByteBuffer buffer() {
        return memory;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public int read(ByteBuffer dst) {
    throw new AssertionError("not read");
  }

  @Override
  public int write(ByteBuffer src) {
    throw new AssertionError("not written");
  }

  @Override
  public boolean await() {
    throw new AssertionError("not awaited");
  }

  @Override
  public void wake() {}

  @Override
  public void close() {
    isClosed = true;
  }
}

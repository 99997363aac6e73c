package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.HostFile;
import io.vdisk.file.HostFlushException;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FaultyFileTest {
  private final FaultPlan plan =
      new FaultPlan(EnumSet.of(HostOperation.WRITE, HostOperation.FLUSH), 1);
  private final HostFile first = plan.on(new MemoryFile("first"));
  private final HostFile second = plan.on(new MemoryFile("second"));

  @Test
  void operationsAreCountedOverAllFilesAndTheSelectedKinds() throws IOException {
    write(first);
    write(second);
    first.resize(5);
    first.read(ByteBuffer.allocate(1), 0);
    first.flush();
    assertEquals(3, plan.count());
    assertFalse(plan.hasFailed());
  }

  @Test
  void failsOnceAndNamesOperationAndFile() throws IOException {
    plan.failOnce(1);
    write(first);
    IOException e = assertThrows(IOException.class, () -> write(second));
    assertEquals("planned: operation 1, WRITE of second, fails", e.getMessage());
    write(second);
    assertTrue(plan.hasFailed());
  }

  @Test
  void failsForEver() throws IOException {
    plan.failFrom(1);
    write(first);
    for (int i = 0; i < 3; i++) {
      assertThrows(IOException.class, () -> write(second));
    }
  }

  @Test
  void afterAFailedFlushEveryLaterOneFails() throws IOException {
    plan.failOnce(0);
    assertThrows(HostFlushException.class, first::flush);
    assertThrows(HostFlushException.class, first::flush);
    second.flush();
  }

  @Test
  void failedWriteLeavesAPrefixOfWholeSectorsOrNothing() throws IOException {
    plan.failFrom(0);
    Set<Long> sizes = new HashSet<>();
    for (int i = 0; i < 50; i++) {
      MemoryFile memory = new MemoryFile("memory");
      HostFile file = plan.on(memory);
      assertThrows(IOException.class, () -> file.write(ByteBuffer.allocate(1500), 100));
      sizes.add(memory.size());
    }
    assertEquals(Set.of(0L, 512L, 1024L), sizes);
  }

  private static void write(HostFile file) throws IOException {
    file.write(ByteBuffer.allocate(1), 0);
  }
}

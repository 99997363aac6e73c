package io.vdisk.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class WorkTest {
  private static final Folder FOLDER = new Folder(Path.of("/f"), 4096);

  @Test
  void namesAreUnique() {
    List<Work> all = Work.all();

    assertEquals(all.size(), all.stream().map(Work::name).collect(Collectors.toSet()).size());
    assertTrue(all.stream().anyMatch(work -> work.name().equals("read-qcow2-4k-random")));
    assertTrue(all.stream().anyMatch(work -> work.name().equals("cow-qcow-1m-sequential")));
  }

  @Test
  void rawHasNoBackingFile() {
    assertFalse(Work.all().stream().anyMatch(work -> work.name().startsWith("cow-raw")));
  }

  @Test
  void usualOnesHaveEveryOperation() {
    assertEquals(
        List.of(Operation.values()),
        Work.all().stream().filter(Work::isUsual).map(Work::operation).distinct().toList());
  }

  @Test
  void batchGoesToANewClusterEachTime() {
    Batch small = new Work(Operation.ALLOCATE, "qcow2", 4096, "sequential").batch(FOLDER);
    Batch large = new Work(Operation.ALLOCATE, "qcow2", 1 << 20, "sequential").batch(FOLDER);

    assertEquals(new Batch(new Steps(4L << 30, 65_536), 32_768), small);
    assertEquals(new Batch(new Steps(4L << 30, 1 << 20), 512), large);
  }

  @Test
  void batchDoesNotGoAroundTheDisk() {
    Batch batch = new Work(Operation.ZERO, "qcow2", 65_536, "random").batch(FOLDER);

    assertEquals(4096, batch.count());
    assertEquals(256L << 20, batch.steps().size());
  }
}

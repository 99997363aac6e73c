package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class MinorsTest {
  @TempDir Path temporary;
  private ControlFolder folder;
  private Minors minors;

  @BeforeEach
  void open() {
    Requirements.need("flock");
    folder = new ControlFolder(temporary.resolve("control"));
    minors = new Minors(folder);
  }

  private static int number(Executable body) {
    return assertThrows(DiskException.class, body).number();
  }

  @Test
  void lowestFreeNumberIsTaken() throws IOException {
    assertEquals(folder.path().resolve("tapdisk/tapdisk-0"), minors.allocate());
    assertEquals(1, Minors.number(minors.allocate()));
    minors.free(0);
    assertEquals(0, Minors.number(minors.allocate()));
    assertEquals(List.of(0, 1), folder.allocated());
  }

  @Test
  void attachedNumberIsNotFreed() throws IOException {
    minors.allocate();
    ProcessLock attached = minors.attach(0);
    assertEquals(11, number(() -> minors.free(0)));
    assertEquals(11, number(() -> minors.attach(0)));
    attached.close();
    minors.free(0);
    assertEquals(List.of(), folder.allocated());
  }

  /** Else its lock would be one on a file that is gone, and another disk had its number, too. */
  @Test
  @Timeout(20)
  void numberThatIsBeingFreedIsNotAttached() throws Exception {
    Path marker = minors.allocate();
    FutureTask<ProcessLock> attaching = new FutureTask<>(() -> minors.attach(0));
    try (ProcessLock freeing = ProcessLock.await(folder.minors())) {
      assertNotNull(freeing);
      long before = ProcessHandle.current().children().count();
      new Thread(attaching).start();
      while (ProcessHandle.current().children().count() == before && !attaching.isDone()) {
        Thread.onSpinWait(); // until it takes a lock
      }
      Files.delete(marker);
    }

    ExecutionException e = assertThrows(ExecutionException.class, attaching::get);

    assertEquals(2, ((DiskException) e.getCause()).number());
    assertFalse(Files.exists(marker));
  }

  @Test
  void unknownNumberIsNeitherFreedNorAttached() throws IOException {
    assertEquals(2, number(() -> minors.free(7)));
    minors.allocate();
    assertEquals(2, number(() -> minors.free(7)));
    assertEquals(2, number(() -> minors.free(-1)));
    assertEquals(2, number(() -> minors.attach(7)));
    assertEquals(List.of(0), folder.allocated());
  }

  /** As xapi's tap-ctl asks, before it removes the file. */
  @Test
  void otherProgramsSeeTheLock() throws IOException, InterruptedException {
    Path marker = minors.allocate();
    String[] asked = {"flock", "-n", "-E", "11", marker.toString(), "true"};
    ProcessLock attached = minors.attach(0);
    assertEquals(11, new ProcessBuilder(asked).start().waitFor());
    attached.close();
    assertEquals(0, new ProcessBuilder(asked).start().waitFor());
  }

  @Test
  void noNumberIsTakenTwice() throws IOException, InterruptedException, ExecutionException {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Future<Path>> taken = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        taken.add(pool.submit(minors::allocate));
      }
      TreeSet<Integer> numbers = new TreeSet<>();
      for (Future<Path> one : taken) {
        numbers.add(Minors.number(one.get()));
      }
      assertEquals(12, numbers.size());
      assertEquals(11, numbers.last());
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void thereIsAnEndOfNumbers() throws IOException {
    Minors three = new Minors(folder, 3);
    for (int i = 0; i < 3; i++) {
      assertEquals(i, Minors.number(three.allocate()));
    }
    assertEquals(28, number(three::allocate));
    assertEquals(16384, Minors.LIMIT);
  }

  @Test
  void folderThatCannotBeMadeIsToldInOneSentence() throws IOException {
    Path file = Files.createFile(temporary.resolve("file"));
    Minors none = new Minors(new ControlFolder(file));

    DiskException failure = assertThrows(DiskException.class, none::allocate);

    assertEquals(13, failure.number());
    assertTrue(
        failure.sentence().startsWith("the folder " + file + " cannot be made"),
        failure.sentence());
  }

  @Test
  void environmentNamesAnotherFolder() {
    assertEquals(Path.of("/run/blktap-control"), ControlFolder.of(Map.of()).path());
    assertEquals(
        Path.of("/elsewhere"), ControlFolder.of(Map.of("VDISK_TAP_FOLDER", "/elsewhere")).path());
  }
}

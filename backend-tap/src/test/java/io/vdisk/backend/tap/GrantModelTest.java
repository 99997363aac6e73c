package io.vdisk.backend.tap;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.ListeningExecutorService;
import com.google.common.util.concurrent.MoreExecutors;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executors;
import net.jqwik.api.ForAll;
import net.jqwik.api.GenerationMode;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;

/**
 * A guest of a simulated Xen asks at random through several queues of a disk, while its servers
 * end, one way or another, and others take the rings over: what it reads is what its model of each
 * sector allows, and so is what the disk holds in the end.
 */
class GrantModelTest {
  private static final int SECTORS = 2048;
  private static final int REQUESTS = 1500;

  /** Nobody waits longer: what hangs is a failure. */
  private static final int MOST_SECONDS = 60;

  private static final ServeOptions OPTIONS =
      new ServeOptions(false, false, new RateLimit(), new RequestStatistics());

  @Property(tries = 20, generation = GenerationMode.RANDOMIZED, shrinking = ShrinkingMode.OFF)
  void contentIsThatOfTheModelWhoeverServesTheRings(
      @ForAll RingAbi abi,
      @ForAll @IntRange(max = 4) int order,
      @ForAll @IntRange(min = 1, max = 3) int queues,
      @ForAll boolean isPersistent,
      @ForAll long seed)
      throws Exception {
    List<XenRing> rings = rings(abi, order, queues, isPersistent);
    try (WatchedDisk disk = new WatchedDisk((long) SECTORS * DiskModel.SECTOR)) {
      run(disk, new RandomServers(disk, OPTIONS, Optional.empty(), new Random(seed)), rings, seed);
    }
  }

  @Property(tries = 10, generation = GenerationMode.RANDOMIZED, shrinking = ShrinkingMode.OFF)
  void contentIsThatOfTheModelThoughAKillTakesWhatWasNotFlushedFromTheDisk(
      @ForAll RingAbi abi,
      @ForAll @IntRange(max = 4) int order,
      @ForAll @IntRange(min = 1, max = 3) int queues,
      @ForAll boolean isPersistent,
      @ForAll long seed)
      throws Exception {
    List<XenRing> rings = rings(abi, order, queues, isPersistent);
    Path folder = Files.createTempDirectory("grants");
    try (WatchedDisk disk = new WatchedDisk((long) SECTORS * DiskModel.SECTOR)) {
      Optional<DurableCopy> durable = Optional.of(new DurableCopy(disk));
      ServeOptions options = OPTIONS.withWriteLogs(folder.resolve("writes-"));
      run(disk, new RandomServers(disk, options, durable, new Random(seed)), rings, seed);
    } finally {
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static List<XenRing> rings(RingAbi abi, int order, int queues, boolean isPersistent) {
    List<XenRing> rings = new ArrayList<>();
    for (int queue = 0; queue < queues; queue++) {
      rings.add(RandomQueue.ring(queue, abi, 1 << order, isPersistent));
    }
    return rings;
  }

  private static void run(WatchedDisk disk, RandomServers servers, List<XenRing> rings, long seed)
      throws Exception {
    DiskModel model = new DiskModel(SECTORS);
    for (XenRing ring : rings) {
      Random random = new Random(seed + 1 + ring.queue());
      servers.add(new RandomQueue(ring, model, servers::generation, random));
    }
    run(servers, model, REQUESTS / rings.size());
    check(disk, model);
  }

  private static void run(RandomServers servers, DiskModel model, int requests) throws Exception {
    ListeningExecutorService threads =
        MoreExecutors.listeningDecorator(
            Executors.newCachedThreadPool(new ThreadFactoryBuilder().setDaemon(true).build()));
    List<ListenableFuture<?>> ends = new ArrayList<>();
    try {
      servers.start();
      for (RandomQueue queue : servers.queues()) {
        ends.add(
            threads.submit(
                () -> {
                  queue.run(requests);
                  return queue;
                }));
      }
      ends.add(
          threads.submit(
              () -> {
                servers.takeTurns(model, 2L * requests * servers.queues().size());
                return servers;
              }));
      Futures.allAsList(ends).get(MOST_SECONDS, SECONDS); // or what failed first
      threads.submit(servers::close).get(MOST_SECONDS, SECONDS);
    } catch (Exception | Error e) {
      servers.kill();
      throw e;
    } finally {
      threads.shutdownNow();
    }
    for (RandomQueue queue : servers.queues()) {
      assertEquals(0, queue.xen().mapped.get(), "nothing stays mapped");
      assertTrue(queue.xen().isClosed && queue.events().isClosed(), "the devices are closed");
    }
  }

  private static void check(WatchedDisk disk, DiskModel model) throws Exception {
    ByteBuffer all = ByteBuffer.allocate(SECTORS * DiskModel.SECTOR).order(ByteOrder.nativeOrder());
    disk.read(all.duplicate(), 0);
    SectorHistory.Moment end = model.ask(-1, 0);
    for (int sector = 0; sector < SECTORS; sector++) {
      model.check(sector, all, sector * DiskModel.SECTOR, end);
    }
  }
}

package io.vdisk.backend.tap;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Those who serve the queues of a disk, one after the other. They are paused, closed, given up
 * because a bell fails, or killed. One thread.
 */
final class RandomServers {
  /** What a call of a process meets that was killed, or of a bell that fails. No trace of it. */
  private static final class EndError extends Error {
    private static final long serialVersionUID = 1;

    EndError(String what) {
      super(what, null, false, false);
    }
  }

  private static final int MOST_STEPS_BETWEEN = 600;
  private static final int MOST_SLOW_NANOSECONDS = 300_000;

  private final WatchedDisk disk;
  private final ServeOptions options;
  private final Optional<DurableCopy> durable;
  private final Random random;
  private final List<RandomQueue> queues = new ArrayList<>();
  private final List<TapServer> servers = new ArrayList<>();
  private final AtomicInteger generation = new AtomicInteger();
  private volatile boolean isKilled;

  /**
   * None yet; the disk is slow now and then, so that requests pass each other.
   *
   * @param durable what the disk holds after a kill; empty if it keeps what was done
   */
  RandomServers(
      WatchedDisk disk, ServeOptions options, Optional<DurableCopy> durable, Random random) {
    this.disk = disk;
    this.options = options;
    this.durable = durable;
    this.random = random;
    int slow = 1 << random.nextInt(7);
    disk.beforeCalls =
        () -> {
          if (ThreadLocalRandom.current().nextInt(slow) == 0) {
            LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(MOST_SLOW_NANOSECONDS));
          }
          checkLife();
        };
  }

  private void checkLife() {
    if (isKilled) {
      throw new EndError("killed");
    }
  }

  /** A queue of the disk. */
  void add(RandomQueue queue) {
    queue.xen().beforeCalls = this::checkLife;
    queues.add(queue);
  }

  List<RandomQueue> queues() {
    return queues;
  }

  /** Another number when what was asked before may be served a second time. Any thread. */
  int generation() {
    return generation.get();
  }

  void start() throws IOException {
    List<GrantTransport> rings = new ArrayList<>();
    for (RandomQueue queue : queues) {
      rings.add(connect(queue));
    }
    GuestQueues.join(rings);
    servers.clear();
    for (GrantTransport ring : rings) {
      servers.add(start(ring));
    }
  }

  private GrantTransport connect(RandomQueue queue) throws IOException {
    queue.xen().isClosed = false;
    queue.events().beforeCalls(this::checkLife);
    return queue.connect();
  }

  private TapServer start(GrantTransport ring) throws IOException {
    return TapServer.start(ring, disk, random.nextBoolean() ? options : options.withWatch(0));
  }

  /** Others take the queues over, until the model has gone so many steps. */
  void takeTurns(DiskModel model, long steps) throws IOException, InterruptedException {
    for (long step = 0; step < steps; step += 1 + random.nextInt(MOST_STEPS_BETWEEN)) {
      model.awaitStep(step);
      int queue = random.nextInt(queues.size());
      switch (random.nextInt(4)) {
        case 0 -> pause();
        case 1 -> close(queue);
        case 2 -> giveUp(queue);
        default -> killAll();
      }
    }
  }

  private void pause() {
    servers.forEach(TapServer::pause);
    servers.forEach(server -> server.resume(disk));
  }

  private void close(int queue) throws IOException {
    servers.get(queue).close();
    replace(queue);
  }

  private void giveUp(int queue) throws IOException {
    queues.get(queue).events().beforeCalls(RandomServers::failBell);
    queues.get(queue).events().wake();
    servers.get(queue).awaitEnd();
    replace(queue);
  }

  private void killAll() throws IOException {
    kill();
    servers.forEach(TapServer::awaitEnd);
    isKilled = false;
    if (durable.isPresent()) {
      durable.get().forget(random);
    }
    replaceAll();
  }

  private static void failBell() {
    throw new EndError("the event channel fails");
  }

  /** Rings that share a log are taken over together; others one by one, too. */
  private void replace(int queue) throws IOException {
    if (options.writeLogs().isPresent()) {
      servers.forEach(TapServer::close);
      replaceAll();
    } else {
      generation.incrementAndGet();
      servers.set(queue, start(connect(queues.get(queue))));
    }
  }

  private void replaceAll() throws IOException {
    generation.incrementAndGet();
    start();
  }

  /** As if the process had been killed: no call is made any longer. Any thread. */
  void kill() {
    isKilled = true;
    queues.forEach(queue -> queue.events().wake());
  }

  void close() {
    servers.forEach(TapServer::close);
  }
}

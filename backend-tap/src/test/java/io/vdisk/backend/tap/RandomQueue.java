package io.vdisk.backend.tap;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;

/**
 * The front end of one queue of a guest of a simulated Xen. It asks at random, and holds each
 * answer against what the sectors may hold. One thread plays it, and ends when all is answered.
 */
final class RandomQueue {
  private static final int RING = 8; // the reference of the ring's first page
  private static final int MOST_AT_ONCE = 20;

  private final SimulatedXen xen = new SimulatedXen();
  private final SimulatedEvents events = new SimulatedEvents();
  private final GrantedData data = new GrantedData(xen);
  private final XenRing named;
  private final DiskModel model;
  private final IntSupplier generation;
  private final Random random;
  private final RandomRequests requests;
  private final FrontRing ring;
  private final Map<Long, AskedRequest> asked = new HashMap<>();

  /**
   * A queue that is not served yet.
   *
   * @param named what {@link #ring} made
   * @param generation tells another number when others serve the queue
   */
  RandomQueue(XenRing named, DiskModel model, IntSupplier generation, Random random) {
    this.named = named;
    this.model = model;
    this.generation = generation;
    this.random = random;
    this.requests = new RandomRequests(named.queue(), model, data, generation, random);
    int[] grants = named.grants().stream().mapToInt(reference -> reference).toArray();
    this.ring = new FrontRing(xen.grant(grants), named.abi());
  }

  /** A ring as a random queue has it. */
  static XenRing ring(int queue, RingAbi abi, int pages, boolean isPersistent) {
    List<Integer> grants = IntStream.range(RING, RING + pages).boxed().toList();
    return new XenRing(
        SimulatedXen.DOMAIN, 51728, queue, grants, SimulatedEvents.PORT, abi, isPersistent);
  }

  SimulatedXen xen() {
    return xen;
  }

  SimulatedEvents events() {
    return events;
  }

  /** What a server is given. */
  GrantTransport connect() throws IOException {
    return GrantTransport.connect(named, xen, events);
  }

  /** Asks so often. */
  void run(int times) throws InterruptedException {
    int left = times;
    while (left > 0 || !asked.isEmpty()) {
      while (ring.waiting() > 0) {
        answer(ring.take());
      }
      left -= ask(Math.min(left, random.nextInt(MOST_AT_ONCE)));
      boolean goesOn = left > 0 && hasRoom() && random.nextInt(3) > 0;
      int before = events.rings();
      if (!goesOn && !asked.isEmpty() && ring.mayAwaitResponses()) {
        int unused = events.awaitRing(before);
      }
    }
  }

  private boolean hasRoom() {
    return ring.hasRoom() && requests.hasRoom();
  }

  /** Asks up to so often; how often. */
  private int ask(int most) {
    List<Integer> toRevoke = new ArrayList<>();
    int count = 0;
    while (count < most && hasRoom()) {
      AskedRequest request = requests.next(ring.next());
      asked.put((long) ring.put(), request);
      if (request.trouble() == AskedRequest.Trouble.REVOKED_MEANWHILE) {
        toRevoke.add(request.troubled());
      }
      count++;
    }
    if (ring.publish()) {
      events.ring();
    }
    toRevoke.forEach(data::revoke);
    return count;
  }

  private void answer(FrontRing.Response response) {
    AskedRequest request = asked.remove(response.id());
    boolean isDone = response.status() == 0;
    if (response.operation() != request.code() || !request.mayHaveStatus(response.status())) {
      throw new IllegalStateException(response + " to " + request);
    }
    if (isDone && request.code() == AskedRequest.READ) {
      request.segments().forEach(segment -> data.check(segment, model, request.moment()));
    }
    if (isDone) {
      model.answer(request.change());
    } else if (request.generation() == generation.getAsInt()) {
      model.refuse(request.change());
    } else {
      model.fail(request.change()); // an earlier server may have done it
    }
    request.pages().forEach(data::grantAgain);
    request.pages().forEach(data::giveBack);
  }
}

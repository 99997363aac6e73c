package io.vdisk.backend.tap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** A guest for tests: asks through a ring in a file, and waits for what it asked. One thread. */
final class Guest {
  private final SharedFileFrontend frontend;
  private final Map<Long, FrontRing.Response> early = new HashMap<>();

  Guest(SharedFileFrontend frontend) {
    this.frontend = frontend;
  }

  SharedFileFrontend frontend() {
    return frontend;
  }

  /** Asks, and does not wait. */
  long ask(Consumer<FrontRequest> request) throws IOException {
    FrontRing ring = frontend.ring();
    request.accept(ring.next());
    long id = ring.put();
    if (ring.publish()) {
      frontend.ringBell();
    }
    return id;
  }

  /** The response to what was asked; other ones that come meanwhile are kept. */
  FrontRing.Response answer(long id) throws IOException {
    FrontRing ring = frontend.ring();
    while (!early.containsKey(id)) {
      while (ring.waiting() > 0) {
        FrontRing.Response response = ring.take();
        early.put(response.id(), response);
      }
      if (!early.containsKey(id) && ring.mayAwaitResponses() && !frontend.await()) {
        throw new IOException("the server has gone");
      }
    }
    return early.remove(id);
  }

  /** Asks and waits; the status. */
  int status(Consumer<FrontRequest> request) throws IOException {
    return answer(ask(request)).status();
  }

  /** Writes up to 11 pages, from page 0 of the data on. */
  int write(long sector, byte[] bytes) throws IOException {
    frontend.data().put(0, bytes);
    return status(r -> segments(r.operation(1, sector), bytes.length));
  }

  /** Reads up to 11 pages. */
  byte[] read(long sector, int length) throws IOException {
    int status = status(r -> segments(r.operation(0, sector), length));
    if (status != 0) {
      throw new IOException("read failed with " + status);
    }
    byte[] bytes = new byte[length];
    frontend.data().get(0, bytes);
    return bytes;
  }

  private static void segments(FrontRequest request, int length) {
    for (int done = 0; done < length; done += 4096) {
      request.segment(done / 4096, 0, Math.min(4096, length - done) / 512 - 1);
    }
  }

  /** Bytes of the data pages. */
  byte[] data(int at, int length) {
    byte[] bytes = new byte[length];
    ByteBuffer data = frontend.data();
    data.get(at, bytes);
    return bytes;
  }
}

package io.vdisk.backend.tap.control;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The clients of a control server: so many at a time, and none that keeps it waiting for long. Only
 * the server's own thread calls.
 */
final class Connections {
  /** TD_CTL_MAX_CONNECTIONS; those do not count whose commands wait for a disk. */
  private static final int MAX_COUNT = 10;

  /** What is done with a connection. */
  interface Step {
    void run() throws IOException;
  }

  private final long timeoutNanos;
  private final Set<Connection> open = new HashSet<>();

  /** None yet. */
  Connections(long timeoutNanos) {
    this.timeoutNanos = timeoutNanos;
  }

  boolean isEmpty() {
    return open.isEmpty();
  }

  boolean isFull() {
    return open.size() - working() >= MAX_COUNT;
  }

  /** How many have sent their commands, and have no answers yet. */
  long working() {
    return open.stream().filter(one -> !one.isWaiting()).count();
  }

  void add(Connection connection) {
    open.add(connection);
  }

  /** A client that fails is dropped, and nobody else notices. */
  void attempt(Connection connection, Step step) {
    try {
      step.run();
      if (!connection.isOpen()) {
        open.remove(connection);
      }
    } catch (IOException e) {
      drop(connection);
    }
  }

  private void drop(Connection connection) {
    open.remove(connection);
    try {
      connection.close();
    } catch (IOException e) {
      // It is as gone as it can be.
      assert !connection.isOpen();
    }
  }

  /** Drops those who owe us their requests. */
  void dropReading() {
    List.copyOf(open).stream().filter(Connection::isReading).forEach(this::drop);
  }

  /** Drops those for whom we have waited too long. */
  void dropLate() {
    List.copyOf(open).stream()
        .filter(one -> one.isWaiting() && one.waited() > timeoutNanos)
        .forEach(this::drop);
  }

  /** In how many milliseconds one may be late; 0 if none can be. */
  long millisLeft() {
    OptionalLong longest =
        open.stream().filter(Connection::isWaiting).mapToLong(Connection::waited).max();
    return longest.isEmpty()
        ? 0
        : Math.max(1, TimeUnit.NANOSECONDS.toMillis(timeoutNanos - longest.getAsLong()) + 1);
  }
}

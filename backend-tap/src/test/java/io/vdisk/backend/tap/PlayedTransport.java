package io.vdisk.backend.tap;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Stands where the way to a guest would, for tests that play its server themselves. */
public final class PlayedTransport extends TapTransport {
  private final Closeable server;

  /** What plays the server is closed with it. */
  public PlayedTransport(Closeable server) {
    this.server = server;
  }

  /** What plays the server. */
  public Closeable server() {
    return server;
  }

  private static AssertionError unasked() {
    return new AssertionError("there is no guest here");
  }

  @Override
  long session() {
    throw unasked();
  }

  @Override
  ByteBuffer ring() {
    throw unasked();
  }

  @Override
  RingAbi abi() {
    throw unasked();
  }

  @Override
  boolean readSegments(TapRequest request) {
    throw unasked();
  }

  @Override
  void fetch(RequestBatch batch) {
    throw unasked();
  }

  @Override
  void store(RequestBatch batch, int from, int to) {
    throw unasked();
  }

  @Override
  boolean await() {
    throw unasked();
  }

  @Override
  void wake() {
    throw unasked();
  }

  @Override
  void ringBell() {
    throw unasked();
  }

  @Override
  void announceSize(long bytes) {
    throw unasked();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  @Override
  public String toString() {
    return "a played guest";
  }
}

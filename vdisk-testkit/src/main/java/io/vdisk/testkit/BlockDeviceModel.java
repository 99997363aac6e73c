package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/**
 * Random requests against a device and against the simplest possible disk, an array of bytes. What
 * fails is shrunk to few and small requests, and is repeated by the seed that is printed.
 *
 * <p>The requests are a plain list, since none of them depends on what the device holds: it shrinks
 * better than a chain whose steps ask for the state.
 */
public abstract class BlockDeviceModel {
  /**
   * Makes a device of {@link #size} bytes, open for writing, that reads as {@link #initialContent}.
   */
  protected abstract BlockDevice create() throws IOException;

  /** Closes {@code device} and opens the same image again, for writing. */
  protected abstract BlockDevice reopen(BlockDevice device) throws IOException;

  /** Bytes that the format allocates at a time: requests crowd around its multiples. */
  protected int unit() {
    return 65_536;
  }

  /** Virtual size, bytes. A few units and best a part of one. */
  protected int size() {
    return 4 * unit() + 512;
  }

  /** What a new device reads as: zeroes, or the content of the backing device below it. */
  protected byte[] initialContent() {
    return new byte[size()];
  }

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  final void theDeviceHoldsWhatAnArrayOfBytesWouldHold(@ForAll("requests") List<Request> requests)
      throws IOException {
    ModelDisk model = new ModelDisk(create(), initialContent(), this::reopen);
    try {
      for (Request request : requests) {
        model.run(request);
      }
      model.run(new Request(Request.Kind.EXTENTS, 0, size(), 0));
      model.run(new Request(Request.Kind.READ, 0, size(), 0));
      model.run(new Request(Request.Kind.REOPEN, 0, 0, 0));
      model.run(new Request(Request.Kind.READ, 0, size(), 0));
    } finally {
      model.close();
    }
  }

  @Provide
  final Arbitrary<List<Request>> requests() {
    Arbitrary<Request.Kind> kinds =
        Arbitraries.frequency(
            Tuple.of(8, Request.Kind.WRITE),
            Tuple.of(5, Request.Kind.READ),
            Tuple.of(4, Request.Kind.ZERO),
            Tuple.of(4, Request.Kind.DISCARD),
            Tuple.of(2, Request.Kind.FLUSH),
            Tuple.of(2, Request.Kind.REOPEN),
            Tuple.of(2, Request.Kind.EXTENTS));
    Arbitrary<Integer> boundaries =
        Combinators.combine(
                Arbitraries.integers().between(0, size() / unit()),
                Arbitraries.integers().between(-2, 2))
            .as((unit, beside) -> Math.max(0, Math.min(size(), unit * unit() + beside)));
    Arbitrary<Integer> units =
        Arbitraries.integers().between(0, size() / unit()).map(unit -> unit * unit());
    Arbitrary<Integer> offsets =
        Arbitraries.oneOf(Arbitraries.integers().between(0, size()), boundaries, units);
    Arbitrary<Integer> lengths =
        Arbitraries.oneOf(
            Arbitraries.integers().between(0, 20),
            Arbitraries.integers().between(0, 2 * unit()),
            units,
            boundaries);
    return Combinators.combine(
            kinds, offsets, lengths, Arbitraries.integers().between(0, Request.MAX_FILL))
        .as(
            (kind, offset, length, fill) ->
                new Request(kind, offset, Math.min(length, size() - offset), fill))
        .list()
        .ofMinSize(1)
        .ofMaxSize(40);
  }
}

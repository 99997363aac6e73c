package io.vdisk.bench.engine;

import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/** A disk of which everything is there already; requests change nothing about where it lies. */
@State(Scope.Benchmark)
public class Steady extends Asked {
  @SuppressWarnings("NullAway.Init") // JMH calls open()
  Steps steps;

  /** Called by JMH. */
  @Setup(Level.Trial)
  public void open(BenchmarkParams params) throws IOException {
    Folder folder = Folder.ofProperties();
    boolean writable = params.getBenchmark().endsWith(".write");
    PageCache cache = cache(folder);
    OpenOptions options =
        (writable ? OpenOptions.readWrite() : OpenOptions.readOnly())
            .withFormat(format)
            .withPageCache(cache);
    Path file = folder.fullPath(format);
    disk = asked().open(Images.open(file, options), file, writable, cache);
    steps = Steps.of(order, folder.bytes(), size);
  }

  /** Called by JMH. */
  @TearDown(Level.Trial)
  public void close() throws IOException {
    disk.close();
  }
}

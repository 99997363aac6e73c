package io.vdisk.bench.engine;

import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/** A disk of which everything is there already; requests change nothing about where it lies. */
@State(Scope.Benchmark)
public class Steady {
  @Param({"qcow2", "qcow", "raw"})
  public String format = "";

  @Param({"engine", "LocalFile", "FileChannel", "pread"})
  public String subject = "";

  @Param({"4096", "65536", "1048576"})
  public int size;

  @Param({"random", "sequential"})
  public String order = "";

  /** Whether past the page cache. */
  @Param("false")
  public boolean direct;

  @SuppressWarnings("NullAway.Init") // JMH calls open()
  Disk disk;

  @SuppressWarnings("NullAway.Init")
  Steps steps;

  /** Called by JMH. */
  @Setup(Level.Trial)
  public void open(BenchmarkParams params) throws IOException {
    Direct.check(direct);
    Folder folder = Folder.ofProperties();
    boolean writable = params.getBenchmark().endsWith(".write");
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    Path file = folder.fullPath(format);
    disk = Subject.of(subject).open(Images.open(file, options.withFormat(format)), file, writable);
    steps = Steps.of(order, folder.bytes(), size);
  }

  /** Called by JMH. */
  @TearDown(Level.Trial)
  public void close() throws IOException {
    disk.close();
  }
}

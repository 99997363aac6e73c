package io.vdisk.bench.engine;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A disk that requests use up, so that each iteration makes a new one. */
@State(Scope.Benchmark)
public abstract class Fresh extends Asked {
  @SuppressWarnings("NullAway.Init") // JMH calls open()
  Batch batch;

  PageCache cache = PageCache.USED;

  /** Called by JMH. */
  @Setup(Level.Iteration)
  public void open() throws IOException {
    Folder folder = Folder.ofProperties();
    Files.deleteIfExists(folder.fresh());
    batch = batch(folder);
    cache = cache(folder);
    disk = make(asked(), folder);
  }

  abstract Batch batch(Folder folder);

  abstract Disk make(Subject asked, Folder folder) throws IOException;

  /** An image without data. */
  BlockDevice empty(Folder folder) throws IOException {
    return Images.create(
        folder.fresh(), CreateOptions.of(format, batch.steps().size()).withPageCache(cache));
  }

  /** A bare file without data. */
  Disk sparse(Subject asked, Folder folder) throws IOException {
    Path file = folder.fresh();
    HostFile made = LocalFile.create(file, cache);
    made.resize(batch.steps().size());
    return asked.bare(Places.same(made, batch.steps().size()), file, true, cache, made);
  }

  /** Called by JMH. */
  @TearDown(Level.Iteration)
  public void close() throws IOException {
    disk.close();
    Files.deleteIfExists(Folder.ofProperties().fresh());
  }
}

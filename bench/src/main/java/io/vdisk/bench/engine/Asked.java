package io.vdisk.bench.engine;

import io.vdisk.file.PageCache;
import java.io.IOException;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Who is asked for which requests; JMH sets the parameters. */
@State(Scope.Benchmark)
public abstract class Asked {
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

  Subject asked() {
    return Subject.of(subject);
  }

  PageCache cache(Folder folder) throws IOException {
    return Direct.cache(direct, folder.path());
  }
}

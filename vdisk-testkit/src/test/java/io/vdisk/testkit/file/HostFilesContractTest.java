package io.vdisk.testkit.file;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.testkit.HostFileContract;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** The contract, by files of the host, files of another file system, and bare channels. */
class HostFilesContractTest {
  @Nested
  class OfTheHost extends HostFileContract {
    @TempDir Path folder;

    @Override
    protected HostFile create() throws IOException {
      return LocalFile.create(folder.resolve("file"));
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() throws IOException {
      return Optional.of(LocalFile.open(folder.resolve("file"), false, false));
    }
  }

  @Nested
  class OfAnotherFileSystem extends HostFileContract {
    private final FileSystem memory = Jimfs.newFileSystem(Configuration.unix());

    @Override
    protected HostFile create() throws IOException {
      return LocalFile.create(memory.getPath("/file"));
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() throws IOException {
      return Optional.of(HostFile.of(memory.getPath("/file")));
    }

    @AfterEach
    void closeMemory() throws IOException {
      memory.close();
    }
  }

  @Nested
  class OfAChannel extends HostFileContract {
    @Override
    protected HostFile create() {
      return HostFile.of(new DirtyChannel());
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() {
      return Optional.empty();
    }
  }
}

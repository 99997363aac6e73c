package io.vdisk.testkit;

import io.vdisk.file.FileSlice;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Optional;
import org.junit.jupiter.api.Nested;

/** The host files in memory under their contract. */
class HostFilesTest {
  @Nested
  class Memory extends HostFileContract {
    @Override
    protected HostFile create() {
      return new MemoryFile("memory");
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() {
      return Optional.empty();
    }
  }

  @Nested
  class Crash extends HostFileContract {
    private CrashDisk disk = new CrashDisk();

    @Override
    protected HostFile create() {
      disk = new CrashDisk();
      return disk.file("crash");
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() {
      return Optional.of(disk.readOnly("crash"));
    }
  }

  @Nested
  class Faulty extends HostFileContract {
    private final FaultPlan plan = new FaultPlan(EnumSet.allOf(HostOperation.class), 1);
    private CrashDisk disk = new CrashDisk();

    @Override
    protected HostFile create() {
      disk = new CrashDisk();
      return plan.on(disk.file("faulty"));
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() {
      return Optional.of(plan.on(disk.readOnly("faulty")));
    }
  }

  @Nested
  class Slice extends HostFileContract {
    private static final int START = 777;
    private static final int LENGTH = 2 << 20;

    private CrashDisk disk = new CrashDisk();

    @Override
    protected HostFile create() throws IOException {
      disk = new CrashDisk();
      CrashFile whole = disk.file("whole");
      whole.write(ByteBuffer.wrap(new byte[START]), 0);
      return new OwningSlice(whole);
    }

    @Override
    protected Optional<HostFile> reopenReadOnly() {
      return Optional.of(new FileSlice(disk.readOnly("whole"), START, LENGTH));
    }

    /** A slice leaves the whole file open; the contract wants to see it closed. */
    private static final class OwningSlice extends io.vdisk.file.ForwardingFile {
      private final HostFile whole;

      OwningSlice(HostFile whole) {
        super(new FileSlice(whole, START, LENGTH));
        this.whole = whole;
      }

      @Override
      public void close() throws IOException {
        whole.close();
      }
    }
  }
}

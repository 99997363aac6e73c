package io.vdisk.testkit.toy;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BlockDeviceContract;
import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.FaultContract;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What every toy keeps: the contracts, and equality with an array of bytes. */
abstract class ToyContracts {
  /** The toy under test. */
  abstract ToySubject subject();

  /** The files of the image that was made last. */
  private List<HostFile> files = List.of();

  static List<HostFile> emptyFiles(int count) {
    List<HostFile> made = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      made.add(new MemoryFile("file" + i));
    }
    return made;
  }

  private BlockDevice create(long size) throws IOException {
    files = emptyFiles(subject().files());
    subject().create(files, size, Optional.empty());
    return subject().open(files, true, Optional.empty());
  }

  private BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
    device.close();
    return subject().open(files, writable, Optional.empty());
  }

  @ParameterizedTest
  @CsvSource({"1, false", "2, false", "3, true", "4, true"})
  void readsAsAnArrayDoes(long seed, boolean hasBacking) throws IOException {
    assertTrue(new RandomUse(subject(), seed, hasBacking).run(1500).allocatedUnits() > 0);
  }

  @Nested
  class Devices extends BlockDeviceContract {
    @Override
    protected BlockDevice create(long size) throws IOException {
      return ToyContracts.this.create(size);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      return ToyContracts.this.reopen(device, writable);
    }

    /** At least 4 KiB: the tests write up to that within a unit. */
    @Override
    protected int unit() {
      return Math.max(4096, subject().format().unit());
    }

    @Override
    protected boolean isEnciphered() {
      return subject().format() instanceof EncryptedFormat;
    }
  }

  @Nested
  class PowerCuts extends CrashContract {
    @Override
    protected Subject subject() {
      return ToyContracts.this.subject();
    }
  }

  @Nested
  class Faults extends FaultContract {
    @Override
    protected Subject subject() {
      return ToyContracts.this.subject();
    }
  }
}

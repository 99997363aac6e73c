package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Images in memory that name each other. One thread. */
final class Disks {
  private final Map<String, HostFile> files = new HashMap<>();

  /** Gives what is here, as often as it is asked for. */
  ReferencePolicy policy() {
    return reference -> {
      HostFile file = files.get(reference.name());
      if (file == null) {
        throw new NoSuchFileException(reference.name());
      }
      return new ForwardingFile(file) {
        @Override
        public void close() {}
      };
    };
  }

  HostFile file(String name) {
    return files.computeIfAbsent(name, MemoryFile::new);
  }

  void put(String name, HostFile file) {
    files.put(name, file);
  }

  CreateOptions creating(long size, String... options) {
    return with(CreateOptions.of("vhd", size), options);
  }

  CreateOptions child(String parent, String format, String... options) {
    return with(CreateOptions.overlay("vhd", parent, format), options);
  }

  private CreateOptions with(CreateOptions creation, String... options) {
    CreateOptions made = creation.withFormats(Samples.FORMATS).withReferences(policy());
    for (int i = 0; i < options.length; i += 2) {
      made = made.withOption(options[i], options[i + 1]);
    }
    return made.withSecrets(Samples.KEY);
  }

  BlockDevice create(String name, CreateOptions options) throws IOException {
    return Images.create(file(name), options);
  }

  BlockDevice open(String name) throws IOException {
    return Images.open(file(name), reading());
  }

  BlockDevice write(String name) throws IOException {
    return Images.open(file(name), reading().asReadWrite());
  }

  OpenOptions reading() {
    return OpenOptions.readOnly()
        .withFormats(Samples.FORMATS)
        .withReferences(policy())
        .withSecrets(Samples.KEY);
  }

  CheckReport check(String name) throws IOException {
    try (BlockDevice device = Images.open(file(name), reading().withoutBacking())) {
      return device.feature(Checking.class).orElseThrow().check(Progress.NONE);
    }
  }

  void assertClean(String name) throws IOException {
    assertEquals(List.of(), check(name).findings());
  }

  byte[] content(String name) throws IOException {
    try (BlockDevice device = open(name)) {
      return Samples.content(device);
    }
  }

  static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static void write(BlockDevice device, byte[] bytes, long offset) throws IOException {
    device.write(ByteBuffer.wrap(bytes), offset);
  }
}

package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.ImageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** One topic of {@link ImageFormatContract}: images in memory, and how to open them. */
abstract class FormatCases extends Cases {
  static final String NAME = "the image under test";

  final ImageFormatContract contract;

  FormatCases(ImageFormatContract contract) {
    this.contract = contract;
  }

  final ImageFormat format() {
    return contract.format();
  }

  /** With this format as the only one. */
  final CreateOptions creation() {
    return contract.creation(contract.size()).withFormats(List.of(format()));
  }

  /** With this format as the only one, named. */
  final OpenOptions byName(OpenOptions options) {
    return byProbing(options).withFormat(format().name());
  }

  /** With this format as the only one, not named. */
  final OpenOptions byProbing(OpenOptions options) {
    return contract.opening(options).withFormats(List.of(format()));
  }

  /** A small image with data, zeroes and holes. */
  final byte[] filledImage() throws IOException {
    MemoryFile file = new MemoryFile(NAME);
    try (BlockDevice device = Images.create(file, creation())) {
      contract.fill(device);
    }
    return bytesOf(file);
  }

  /** What {@link #filledImage} reads as. */
  final byte[] guestBytes(byte[] image) throws IOException {
    try (BlockDevice device = open(image)) {
      return readAll(device);
    }
  }

  final BlockDevice open(byte[] image) throws IOException {
    return Images.open(new MemoryFile(NAME, image), byName(OpenOptions.readOnly()));
  }

  static void assertNamesTheFile(Exception refusal) {
    assertTrue(
        String.valueOf(refusal.getMessage()).contains(NAME),
        () -> "the file is not named by " + refusal);
  }

  static byte[] bytesOf(HostFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(file.size()));
    file.readFully(bytes, 0);
    return bytes.array();
  }

  /** Fails if the format can check its images, and finds an error. */
  static void assertSound(BlockDevice device) throws IOException {
    Optional<Checking> checking = device.feature(Checking.class);
    if (checking.isPresent()) {
      CheckReport report = checking.get().check(Progress.NONE);
      assertEquals(0, report.errors(), () -> "errors: " + report.findings());
    }
  }
}

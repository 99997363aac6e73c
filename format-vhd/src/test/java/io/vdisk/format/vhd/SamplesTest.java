package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.SecretException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of Xen's tools, QEMU and Hyper-V read as they should. */
class SamplesTest {
  @ParameterizedTest
  @CsvSource({
    "dyn-base.vhd,0381daf006c1ba05aeecaab08a6642dcfc718c01eee83f02140a8df21466411b",
    "diff1.vhd,0fe55c8d5d35c8c193ab8d37c39862f0d02bc50f5624c97804214739427d72ad",
    "fixed.vhd,0381daf006c1ba05aeecaab08a6642dcfc718c01eee83f02140a8df21466411b",
    "crypt512.vhd,b361e84ede70578950e3e56663b0e95dd29c568a4656065b4fc314942fccdd03",
    "ext2.vhd,870be7ae16c1fa8faab05c6eb9205dc9a7ae35c5f552c5cf8a267c0bc6a5cb99",
  })
  void readsAsItsHashSays(String name, String hash) throws IOException {
    OpenOptions options = Samples.reading().withSecrets(Samples.KEY);
    assertEquals(hash, Samples.sha256(Samples.load(name), options));
    assertEquals(hash, Samples.sha256(Samples.load(name), options.asReadWrite()));
    assertEquals(Probe.VERIFIED, new VhdFormat().probe(Samples.load(name)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dyn-base.vhd", "diff1.vhd", "fixed.vhd", "crypt512.vhd", "ext2.vhd"})
  void checkFindsNothing(String name) throws IOException {
    try (BlockDevice device =
        Images.open(Samples.load(name), Samples.reading().withoutBacking().withFormat("vhd"))) {
      CheckReport report = device.feature(Checking.class).orElseThrow().check(Progress.NONE);
      assertEquals(List.of(), report.findings());
      assertTrue(report.allocatedUnits() > 0);
    }
  }

  @Test
  void encryptedDiskIsRefusedWithoutItsKey() {
    SecretException refusal =
        assertThrows(
            SecretException.class,
            () -> Images.open(Samples.load("crypt512.vhd"), Samples.reading()));
    assertTrue(refusal.getMessage().contains("its key was not given"), refusal.getMessage());
    assertThrows(
        SecretException.class,
        () ->
            Images.open(
                Samples.load("crypt512.vhd"),
                Samples.reading().withSecrets((file, purpose) -> Optional.of(new byte[64]))));
  }

  @Test
  void missingParentIsReportedByName() {
    NoSuchFileException refusal =
        assertThrows(
            NoSuchFileException.class,
            () -> Images.open(Samples.load("fat-differential.vhd"), Samples.reading()));
    assertTrue(refusal.getMessage().contains("fat-parent.vhd"), refusal.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"image.vhd", "image-differential.vhd"})
  void wrongChecksumsAreRefusedUnlessTablesAreLookedAt(String name) throws IOException {
    CorruptImageException refusal =
        assertThrows(
            CorruptImageException.class,
            () -> Images.open(Samples.load(name), Samples.reading().withFormat("vhd")));
    assertTrue(refusal.getMessage().contains("0xfffff683"), refusal.getMessage());
    assertEquals(Probe.MAGIC, new VhdFormat().probe(Samples.load(name)));
    try (BlockDevice device =
        Images.open(Samples.load(name), Samples.reading().withFormat("vhd").withoutBacking())) {
      CheckReport report = device.feature(Checking.class).orElseThrow().check(Progress.NONE);
      assertTrue(report.errors() > 0);
    }
  }
}

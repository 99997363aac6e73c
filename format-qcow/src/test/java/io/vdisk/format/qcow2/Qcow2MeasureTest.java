package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.Measurement;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The numbers of {@code qemu-img measure}. */
class Qcow2MeasureTest {
  @TempDir Path folder;

  private static CreateOptions options(Map<String, String> named) {
    CreateOptions options = CreateOptions.of("qcow2", 0);
    for (Map.Entry<String, String> option : named.entrySet()) {
      options = options.withOption(option.getKey(), option.getValue());
    }
    return options;
  }

  private static List<Object> command(Map<String, String> named) {
    List<Object> command = new ArrayList<>(List.of("qemu-img", "measure", "-O", "qcow2"));
    named.forEach((name, value) -> command.addAll(List.of("-o", name + "=" + value)));
    return command;
  }

  /** What qemu-img prints, without its line on bitmaps if ours does not know of any. */
  private static String printed(Measurement measured) {
    return "required size: "
        + measured.required()
        + "\nfully allocated size: "
        + measured.fullyAllocated()
        + "\n";
  }

  @Test
  void emptyImagesAreAsLargeAsQemuSays() throws IOException {
    Requirements.need("qemu-img");
    int compared = 0;
    for (String cluster : List.of("512", "4096", "65536", "2097152")) {
      for (String bits : List.of("1", "8", "16", "64")) {
        for (String extended : List.of("off", "on")) {
          if (extended.equals("on") && Integer.parseInt(cluster) < 16_384) {
            continue;
          }
          for (long size : new long[] {0, 10, 1 << 20, (1L << 30) + 512, 100L << 30, 7L << 40}) {
            for (String preallocation : List.of("off", "metadata", "full")) {
              Map<String, String> named = new TreeMap<>();
              named.put("cluster_size", cluster);
              named.put("refcount_bits", bits);
              named.put("extended_l2", extended);
              named.put("preallocation", preallocation);
              compareEmpty(named, size);
              compared++;
            }
          }
        }
      }
    }
    assertEquals(432, compared);
  }

  private static void compareEmpty(Map<String, String> named, long size) throws IOException {
    List<Object> command = command(named);
    command.addAll(List.of("--size", size));
    Qemu.Result qemu = Qemu.run(command.toArray());
    CreateOptions options = options(named).withVirtualSize(size);
    if (qemu.exit() != 0) {
      assertThrows(
          UnsupportedImageException.class, () -> Images.measure(options), command::toString);
    } else {
      assertEquals(qemu.output(), printed(Images.measure(options)), command::toString);
    }
  }

  @Test
  void contentCountsByWholeClusters() throws IOException {
    Requirements.need("qemu-img");
    Random random = new Random(5);
    Path base = folder.resolve("base");
    Path overlay = folder.resolve("overlay");
    Images.create(base, CreateOptions.of("qcow2", 40 << 20)).close();
    write(base, random, 40 << 20);
    Images.create(
            overlay,
            CreateOptions.of("qcow2", 50 << 20)
                .withBacking("base", "qcow2")
                .withReferences(ReferencePolicy.sameDirectory()))
        .close();
    write(overlay, random, 50 << 20);
    for (Path image : List.of(base, overlay)) {
      for (String cluster : List.of("65536", "262144", "2097152")) {
        for (boolean backed : new boolean[] {false, true}) {
          Map<String, String> named = new TreeMap<>(Map.of("cluster_size", cluster));
          CreateOptions options = options(named);
          if (backed) {
            options = options.withBacking("base", "qcow2");
            named.put("backing_file", base.toString());
            named.put("backing_fmt", "qcow2");
          }
          List<Object> command = command(named);
          command.add(image);
          String qemu = Qemu.succeed(command.toArray());
          try (BlockDevice source = open(image, OpenOptions.readOnly())) {
            Measurement measured = Images.measure(source, options);
            assertEquals(
                qemu.replaceAll("bitmaps size: 0\n", ""), printed(measured), command::toString);
            assertEquals(0, measured.bitmaps().orElse(0));
          }
        }
      }
    }
  }

  private static BlockDevice open(Path image, OpenOptions options) throws IOException {
    return Images.open(image, options.withReferences(ReferencePolicy.sameDirectory()));
  }

  private static void write(Path image, Random random, int size) throws IOException {
    try (BlockDevice device = open(image, OpenOptions.readWrite())) {
      for (int i = 0; i < 30; i++) {
        byte[] bytes = new byte[1 + random.nextInt(300_000)];
        Arrays.fill(bytes, (byte) i);
        device.write(ByteBuffer.wrap(bytes), random.nextInt(size - bytes.length));
      }
      device.writeZeroes(10 << 20, 5 << 20);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"aes-256", "aes-128"})
  void keysTakeTheirSpace(String cipher) throws IOException {
    Requirements.need("qemu-img");
    for (String cluster : List.of("512", "65536", "2097152")) {
      Map<String, String> named = new TreeMap<>();
      named.put("cluster_size", cluster);
      named.put("encrypt.format", "luks");
      named.put("encrypt.cipher-alg", cipher);
      named.put("encrypt.iter-time", "20");
      List<Object> command = command(named);
      command.addAll(List.of("--object", "secret,id=s,data=abc", "-o", "encrypt.key-secret=s"));
      command.addAll(List.of("--size", "1G"));
      CreateOptions options =
          options(named)
              .withVirtualSize(1 << 30)
              .withSecrets((file, purpose) -> Optional.of(new byte[] {'a', 'b', 'c'}));

      Qemu.Result qemu = Qemu.run(command.toArray());
      // On a busy machine qemu-img cannot measure its key derivation, which this does not need.
      for (int i = 0; i < 50 && qemu.output().contains("accurate CPU usage"); i++) {
        qemu = Qemu.run(command.toArray());
      }
      assertEquals(qemu.output(), printed(Images.measure(options)), command::toString);
    }
  }

  @Test
  void optionsThatCannotBeAreRefused() {
    for (Map<String, String> named :
        List.of(
            Map.of("cluster_size", "300"),
            Map.of("cluster_size", "4194304"),
            Map.of("refcount_bits", "3"),
            Map.of("refcount_bits", "8", "compat", "0.10"),
            Map.of("preallocation", "some"),
            Map.of("compat", "2"),
            Map.of("extended_l2", "perhaps"),
            Map.of("encrypt.format", "rot13"),
            Map.of("colour", "blue"))) {
      assertThrows(
          IllegalArgumentException.class, () -> Images.measure(options(named)), named::toString);
    }
  }

  @Test
  void numbersOfTheDefaultsAreKnownWithoutQemu() throws IOException {
    assertEquals(
        new Measurement(393_216, 1_074_135_040, OptionalLong.empty()),
        Images.measure(CreateOptions.of("qcow2", 1 << 30)));
  }
}

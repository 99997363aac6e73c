package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.Images;
import io.vdisk.ReferencePolicy;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.ImageFormat;
import java.io.IOException;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a format declares is what it reads. */
class DeclaredOptionsTest {
  /** Options that take any text, or that {@link CreateOptions} has methods for. */
  private static final Set<String> UNREFUSABLE = Set.of("data_file", "encrypt.key-secret");

  static Stream<ImageFormat> created() {
    return Images.formats().stream().filter(format -> !format.creationOptions().isEmpty());
  }

  @ParameterizedTest
  @MethodSource("created")
  void formatRefusesNonsenseInEachOptionAndAnyOther(ImageFormat format) {
    for (FormatOption option : format.creationOptions()) {
      if (UNREFUSABLE.contains(option.name())
          || FormatOption.BACKING.contains(option)
          || option.equals(FormatOption.SIZE)) {
        continue;
      }
      String message = refusal(format, option.name());
      assertTrue(message.contains(option.name()), () -> format.name() + ": " + message);
      assertNotEquals(unknown(format, option.name()), message);
    }
    assertEquals(unknown(format, "nosuch"), refusal(format, "nosuch"));
  }

  private static String unknown(ImageFormat format, String option) {
    return format.name() + " has no option '" + option + "'";
  }

  private static String refusal(ImageFormat format, String option) {
    CreateOptions options = CreateOptions.of(format.name(), 1 << 20);
    if (option.startsWith("encrypt.") && !option.equals("encrypt.format")) {
      options = options.withOption("encrypt.format", "luks");
    }
    CreateOptions said = options.withOption(option, "nonsense");
    return assertThrows(
            IllegalArgumentException.class,
            () -> Images.create(new MemoryFile("image"), said).close())
        .getMessage();
  }

  @ParameterizedTest
  @MethodSource("created")
  void formatThatDeclaresNoBackingFileRefusesIt(ImageFormat format) {
    boolean isDeclared = format.creationOptions().containsAll(FormatOption.BACKING);
    CreateOptions options =
        CreateOptions.of(format.name(), 1 << 20)
            .withBacking("base", format.name())
            .withReferences(ReferencePolicy.any())
            .withoutOpeningBacking();
    boolean isRefused = false;
    try {
      Images.create(new MemoryFile("image"), options).close();
    } catch (IllegalArgumentException e) {
      isRefused = true;
    } catch (IOException e) {
      isRefused = false; // some want to look at it
    }
    assertEquals(isDeclared, !isRefused, format.name());
  }
}

package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.Measurement;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code vdisk measure}: how large the file of an image would become. */
final class MeasureCommand {
  static final String USAGE =
      "vdisk measure [-O FORMAT] [-o NAME=VALUE,... | -o help] [--output=json|human] [--size SIZE |"
          + " [-f FORMAT] [-l SNAPSHOT] [-U] [--backing-policy=POLICY] [--object SECRET]"
          + " [--source-secret ID] [--image-opts] FILE]";

  private MeasureCommand() {}

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax()
            .value("-O")
            .value("-o")
            .value("-l")
            .value("--size")
            .value("--output")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    if (OptionsHelp.asked(arguments)) {
      OptionsHelp.of(arguments.value("-O").orElse("raw"), console).printCreation();
      return 0;
    }
    boolean json = Help.isJson(arguments);
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      Measurement measured = measure(arguments, console, secrets);
      if (json) {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (measured.bitmaps().isPresent()) {
          fields.put("bitmaps", measured.bitmaps().getAsLong());
        }
        fields.put("required", measured.required());
        fields.put("fully-allocated", measured.fullyAllocated());
        console.out().println(Json.of(fields));
      } else {
        console.out().println("required size: " + measured.required());
        console.out().println("fully allocated size: " + measured.fullyAllocated());
        if (measured.bitmaps().isPresent()) {
          console.out().println("bitmaps size: " + measured.bitmaps().getAsLong());
        }
      }
    }
    return 0;
  }

  private static Measurement measure(Arguments arguments, Console console, SecretObjects secrets)
      throws IOException, UsageException {
    String format = arguments.value("-O").orElse("raw");
    ImageOptions said = ImageOptions.of(arguments, "", format);
    Optional<String> text = arguments.value("--size");
    Optional<Long> size =
        text.isPresent() ? Optional.of(ByteSize.parse(text.get(), 1)) : said.size();
    int operands = arguments.operands().size();
    if (operands > 1 || size.isPresent() == (operands == 1)) {
      throw new UsageException("expected either --size SIZE or one FILE");
    }
    CreateOptions options = CreateOptions.of(format, size.orElse(0L));
    options = said.applyTo(options, secrets);
    if (operands == 0) {
      return Images.measure(options);
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands().get(0));
    Opening opening = Opening.of(arguments, console, "vdisk").with(secrets.named(image.secret()));
    try (BlockDevice device = opening.read(image.path(), image.format(), Optional.empty());
        BlockDevice source = NamedSnapshot.of(device, arguments.value("-l"), image.file())) {
      return Images.measure(source, options);
    }
  }
}

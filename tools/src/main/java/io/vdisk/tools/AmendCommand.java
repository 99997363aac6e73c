package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Amending;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.KeySlots;
import io.vdisk.feature.Resizing;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code vdisk amend}: changes what was chosen when an image was created. Each option goes to the
 * feature that knows of it.
 */
final class AmendCommand {
  static final String USAGE =
      "vdisk amend -o NAME=VALUE,... | -o help [-p] [-q] [-f FORMAT] [-t CACHE]"
          + " [--backing-policy=POLICY] [--object SECRET] [--source-secret ID] [--image-opts] FILE";

  private AmendCommand() {}

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax().value("-o").flag("-p").flag("-q", "--quiet").flag("--force").parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    if (OptionsHelp.asked(arguments)) {
      OptionsHelp.of(format(arguments, console), console).printAmendment();
      return 0;
    }
    // With --image-opts qemu-img takes the list of options in place of the file.
    NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE").get(0));
    if (!arguments.has("-o")) {
      throw new UsageException("-o NAME=VALUE is missing");
    }
    ImageOptions said = ImageOptions.of(arguments, "", image.format().orElse(""));
    if (said.secret().isPresent()) {
      throw new UsageException("a passphrase is changed by encrypt.state and encrypt.new-secret");
    }
    Progress progress =
        arguments.has("-p") && !arguments.has("--quiet")
            ? new ProgressBar(console.err(), console.terminal())
            : Progress.NONE;
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      Opening opening = Opening.of(arguments, console, "vdisk").with(secrets.named(image.secret()));
      // Only a new size has to do with what the backing file holds.
      try (BlockDevice device =
          said.size().isPresent()
              ? opening.write(image.path(), image.format())
              : opening.writeAlone(image.path(), image.format())) {
        amend(device, image.file(), said, secrets, progress);
      }
    }
    return 0;
  }

  /** The format whose options are asked for: the one that was said, or that of the file. */
  private static String format(Arguments arguments, Console console)
      throws IOException, UsageException {
    Optional<String> said = arguments.value("-f");
    if (said.isEmpty()) {
      NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE, or -f").get(0));
      Opening opening = Opening.of(arguments, console, "vdisk");
      said =
          image.format().isPresent()
              ? image.format()
              : Opening.sureFormat(Images.probe(image.path(), opening.options()));
    }
    return said.orElse("raw");
  }

  private static void amend(
      BlockDevice device, String file, ImageOptions said, SecretObjects secrets, Progress progress)
      throws IOException, UsageException {
    Map<String, String> keys = new LinkedHashMap<>();
    Map<String, String> others = new LinkedHashMap<>();
    for (Map.Entry<String, String> option : said.own().entrySet()) {
      Map<String, String> kind = option.getKey().startsWith(KeyAmendment.PREFIX) ? keys : others;
      kind.put(option.getKey(), option.getValue());
    }
    if (!keys.isEmpty()) {
      KeySlots slots = feature(device, KeySlots.class, file, "have no key slots");
      new KeyAmendment(keys, secrets).applyTo(slots);
    }
    if (said.backing().isPresent() || said.backingFormat().isPresent()) {
      relink(device, file, said);
    }
    if (said.size().isPresent()) {
      feature(device, Resizing.class, file, "cannot be resized").resize(said.size().get());
    }
    if (!others.isEmpty()) {
      feature(device, Amending.class, file, "cannot be amended").amend(others, progress);
    }
  }

  /** An empty name is none; a format alone is that of the file that is named already. */
  private static void relink(BlockDevice device, String file, ImageOptions said)
      throws IOException, UsageException {
    BackingLink link =
        feature(device, BackingLink.class, file, "cannot be given another backing file");
    Optional<Reference> now = device.info().backing();
    Optional<String> name = said.backing();
    if (name.isEmpty() && now.isEmpty()) {
      throw new UsageException(file + " has no backing file whose format could be said");
    }
    if (name.isPresent() && name.get().isEmpty()) {
      link.change(Optional.empty(), Optional.empty());
    } else {
      link.change(name.isPresent() ? name : Optional.of(now.get().name()), said.backingFormat());
    }
  }

  private static <T> T feature(BlockDevice device, Class<T> type, String file, String without)
      throws IOException {
    Optional<T> feature = device.feature(type);
    if (feature.isEmpty()) {
      throw new UnsupportedImageException(
          file + ": " + device.info().format() + " images " + without);
    }
    return feature.get();
  }
}

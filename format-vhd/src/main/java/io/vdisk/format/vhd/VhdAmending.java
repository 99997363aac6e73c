package io.vdisk.format.vhd;

import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** What of an image can be changed by itself. */
final class VhdAmending {
  private static final FormatOption HIDDEN =
      new FormatOption(
          "hidden", Value.NUMBER, "0 to 255, Xen's mark of images that its tools do not show");

  private static final FormatOption MARKER =
      new FormatOption("marker", Value.NUMBER, "0 to 255, in the batmap of Xen's images");

  static final List<FormatOption> OPTIONS = List.of(HIDDEN, MARKER);

  private final HostFile file;
  private final Limits limits;

  VhdAmending(HostFile file, Limits limits) {
    this.file = file;
    this.limits = limits;
  }

  void amend(Map<String, String> options) throws IOException {
    options.forEach(VhdAmending::check);
    for (Map.Entry<String, String> option : options.entrySet()) {
      int value = Integer.parseInt(option.getValue());
      if (option.getKey().equals(HIDDEN.name())) {
        hide(value);
      } else {
        mark(value);
      }
    }
  }

  private static void check(String option, String value) {
    if (OPTIONS.stream().noneMatch(known -> known.name().equals(option))) {
      throw new IllegalArgumentException("the option '" + option + "' cannot be changed");
    }
    if (!value.matches("\\d{1,3}") || Integer.parseInt(value) > 255) {
      throw new IllegalArgumentException(option + " is a number from 0 to 255");
    }
  }

  private void hide(int value) throws IOException {
    Footers footers = Footers.read(file, Footers.Reading.STRICT);
    new FooterUpdate(footers, file).write(footers.used().withHidden(value));
  }

  private void mark(int value) throws IOException {
    Footers footers = Footers.read(file, Footers.Reading.STRICT);
    if (footers.used().is(DiskType.FIXED)) {
      throw new UnsupportedImageException(file.name() + ": a fixed disk has no marker");
    }
    Structures structures = Structures.read(file, footers, Footers.Reading.STRICT, limits);
    BatmapHeader header =
        structures
            .batmap()
            .orElseThrow(
                () ->
                    new UnsupportedImageException(
                        file.name() + ": has no batmap, and so no place for a marker"));
    file.write(header.withMarker(value).bytes(), header.headerOffset());
    file.flush();
  }
}

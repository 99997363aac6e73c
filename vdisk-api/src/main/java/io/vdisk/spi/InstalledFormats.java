package io.vdisk.spi;

import io.vdisk.Match;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** The formats that can be opened, by name. Immutable. */
public final class InstalledFormats {
  private final List<ImageFormat> formats;
  private final Map<String, ImageFormat> byName = new HashMap<>();

  private InstalledFormats(List<ImageFormat> formats) {
    this.formats = List.copyOf(formats);
    for (ImageFormat format : formats) {
      name(format.name(), format);
      format.aliases().forEach(alias -> name(alias, format));
    }
  }

  /** These formats; no two may share a name. */
  public static InstalledFormats of(List<ImageFormat> formats) {
    return new InstalledFormats(formats);
  }

  /**
   * The formats that lie beside this library, found by the class loader of this class, and those
   * that only the calling thread's context class loader sees.
   */
  public static InstalledFormats find() {
    List<ImageFormat> found = new ArrayList<>();
    load(ImageFormat.class.getClassLoader(), found);
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    if (context != null && !context.equals(ImageFormat.class.getClassLoader())) {
      load(context, found);
    }
    return new InstalledFormats(found);
  }

  private static void load(@Nullable ClassLoader loader, List<ImageFormat> found) {
    for (ImageFormat format : ServiceLoader.load(ImageFormat.class, loader)) {
      boolean known = false;
      for (ImageFormat other : found) {
        known |= other.getClass() == format.getClass();
      }
      if (!known) {
        found.add(format);
      }
    }
  }

  /** All of them. */
  public List<ImageFormat> all() {
    return formats;
  }

  /** The format of this name or alias; empty if it is not there. */
  public Optional<ImageFormat> named(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** The format of this name or alias, which {@code file} is to be opened or made as. */
  ImageFormat require(String name, String file) throws UnsupportedImageException {
    ImageFormat format = byName.get(name);
    if (format == null) {
      throw new UnsupportedImageException(
          file + ": there is no format '" + name + "' here; there is " + names());
    }
    return format;
  }

  /** What {@code file} may be, surest first. */
  public List<Match> probe(HostFile file) throws IOException {
    List<Match> matches = new ArrayList<>();
    for (ImageFormat format : formats) {
      Probe probe = format.probe(file);
      if (probe != Probe.NO) {
        matches.add(new Match(format, probe));
      }
    }
    matches.sort((a, b) -> b.probe().compareTo(a.probe()));
    return matches;
  }

  /** The one format whose magic number {@code file} carries; empty if there is none. */
  Optional<ImageFormat> recognise(HostFile file) throws IOException {
    List<Match> matches = probe(file);
    if (matches.isEmpty() || matches.get(0).probe() == Probe.WEAK) {
      return Optional.empty();
    }
    Match best = matches.get(0);
    if (matches.size() > 1 && matches.get(1).probe() == best.probe()) {
      throw new UnsupportedImageException(
          file.name()
              + " may be "
              + best.format().name()
              + " or "
              + matches.get(1).format().name()
              + ": say which");
    }
    return Optional.of(best.format());
  }

  private void name(String name, ImageFormat format) {
    ImageFormat other = byName.put(name, format);
    if (other != null) {
      throw new ServiceConfigurationError(
          "two formats are named '" + name + "': " + other.getClass() + ", " + format.getClass());
    }
  }

  private String names() {
    List<String> names = new ArrayList<>();
    formats.forEach(format -> names.add(format.name()));
    names.sort(null);
    return String.join(", ", names);
  }
}

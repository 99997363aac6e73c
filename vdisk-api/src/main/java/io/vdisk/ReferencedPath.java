package io.vdisk;

import java.io.File;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the name in a reference as QEMU reads it. */
final class ReferencedPath {
  /** A protocol is what stands before a colon that no slash comes before. */
  private static final Pattern PROTOCOL = Pattern.compile("([^/:]*):(.*)", Pattern.DOTALL);

  private static final boolean WINDOWS = File.separatorChar == '\\';

  private final Reference reference;

  ReferencedPath(Reference reference) {
    this.reference = reference;
  }

  /** What stands before the colon in {@code nbd://host} or {@code json:{}}; empty for a path. */
  Optional<String> protocol() {
    Matcher matcher = PROTOCOL.matcher(reference.name());
    return matcher.matches() && !isDrive(matcher.group(1))
        ? Optional.of(matcher.group(1))
        : Optional.empty();
  }

  /** What stands behind the protocol and its colon. */
  String withoutProtocol() {
    return protocol().map(p -> reference.name().substring(p.length() + 1)).orElse(reference.name());
  }

  /** Whether it is QEMU's {@code json:{...}}. */
  boolean isJson() {
    return reference.name().startsWith(JsonReference.PREFIX);
  }

  /** The plain file that a {@code json:} name stands for, as it stands there, as in QEMU. */
  Path json() throws ReferenceDeniedException {
    try {
      return parse(JsonReference.parse(reference.name()).filename());
    } catch (JsonReference.RefusedException e) {
      throw denied(e.getMessage() + "; open it yourself and use OpenOptions.withBacking(...)");
    }
  }

  /** The folder of the file that names it. */
  Path folder() throws ReferenceDeniedException {
    Path from =
        reference
            .from()
            .path()
            .orElseThrow(
                () ->
                    denied(
                        "the file that names it lies in no folder; open it yourself and use"
                            + " OpenOptions.withBacking(...)"));
    Path parent = from.toAbsolutePath().getParent();
    if (parent == null) {
      throw denied("the file that names it lies in no folder");
    }
    return parent;
  }

  /** The path that is named, as it stands if it is absolute, otherwise from the folder. */
  Path inFolder() throws ReferenceDeniedException {
    return reference.from().path().isEmpty() && parse(reference.name()).isAbsolute()
        ? parse(reference.name())
        : folder().resolve(parse(reference.name()));
  }

  /** {@code name} as a path of the file system where the file lies that names it. */
  Path parse(String name) throws ReferenceDeniedException {
    if (name.isEmpty()) {
      throw denied("the name is empty");
    }
    try {
      Optional<Path> from = reference.from().path();
      return from.isPresent() ? from.get().getFileSystem().getPath(name) : Path.of(name);
    } catch (InvalidPathException e) {
      throw denied("that is no file name here (" + e.getReason() + ")");
    }
  }

  ReferenceDeniedException denied(String reason) {
    return new ReferenceDeniedException(reference, reason);
  }

  private static boolean isDrive(String prefix) {
    return WINDOWS && prefix.length() == 1 && Character.isLetter(prefix.charAt(0));
  }
}

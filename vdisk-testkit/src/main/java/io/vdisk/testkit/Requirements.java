package io.vdisk.testkit;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * What a test needs of the machine that it runs on.
 *
 * <p>Where it is missing the test is skipped with the reason; with the system property {@code
 * vdisk.skippedIsFailure} set to {@code true} it fails instead.
 */
public final class Requirements {
  /** Where Debian keeps the tools of the administrator, which are not on every user's path. */
  private static final String ADMINISTRATOR = "/usr/local/sbin:/usr/sbin:/sbin";

  private Requirements() {}

  /** Returns where the program {@code name} is, or ends the test if there is none. */
  public static Path need(String name) {
    Optional<Path> program =
        Stream.of(System.getenv().getOrDefault("PATH", ""), ADMINISTRATOR)
            .flatMap(Pattern.compile(File.pathSeparator)::splitAsStream)
            .filter(directory -> !directory.isEmpty())
            .map(directory -> Path.of(directory, name))
            .filter(Files::isExecutable)
            .findFirst();
    need(program.isPresent(), "needs the program " + name);
    return program.orElseThrow();
  }

  /** Ends the test unless {@code present}; {@code requirement} completes the words "this test". */
  public static void need(boolean present, String requirement) {
    if (present) {
      return;
    }
    if (Boolean.getBoolean("vdisk.skippedIsFailure")) {
      Assertions.fail("No test may be skipped here, but this one " + requirement);
    }
    Assumptions.abort(requirement);
  }
}

package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The folder in which tapdisks and those who command them meet: a socket {@code ctl<pid>} for each
 * process and a file {@code tapdisk/tapdisk-<n>} for each minor. Immutable.
 *
 * @param path the folder
 */
public record ControlFolder(Path path) {
  /** BLKTAP2_CONTROL_DIR. */
  public static final Path DEFAULT = Path.of("/run/blktap-control");

  /** The variable of the environment that names another folder. */
  public static final String VARIABLE = "VDISK_TAP_FOLDER";

  private static final String SOCKET = "ctl";
  private static final String MARKER = "tapdisk-";

  /** The folder that the environment names, or the default. */
  public static ControlFolder of(Map<String, String> environment) {
    String named = environment.getOrDefault(VARIABLE, "");
    return new ControlFolder(named.isEmpty() ? DEFAULT : Path.of(named));
  }

  /** The socket of a process. */
  public Path socket(long pid) {
    return path.resolve(SOCKET + pid);
  }

  Path minors() {
    return path.resolve("tapdisk");
  }

  Path marker(int minor) {
    return minors().resolve(MARKER + minor);
  }

  /**
   * Makes the folder if it is missing.
   *
   * @throws DiskException with EACCES if that is not allowed
   */
  void prepare() throws DiskException {
    try {
      Files.createDirectories(minors());
    } catch (IOException e) {
      throw new DiskException(
          Errno.EACCES,
          "the folder "
              + path
              + " cannot be made; --folder or "
              + VARIABLE
              + " can name another: "
              + DiskException.of(e).sentence(),
          e);
    }
  }

  /** The processes that have a socket here, dead ones too, in ascending order. */
  public List<Integer> processes() throws IOException {
    return numbers(path, SOCKET);
  }

  /** The minors that are allocated, in ascending order. */
  public List<Integer> allocated() throws IOException {
    return numbers(minors(), MARKER);
  }

  /** The numbers behind {@code prefix} of the files of a folder; none if it is missing. */
  private static List<Integer> numbers(Path folder, String prefix) throws IOException {
    List<Integer> numbers = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, prefix + "*")) {
      for (Path file : files) {
        number(file.getFileName().toString().substring(prefix.length())).ifPresent(numbers::add);
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    numbers.sort(null);
    return numbers;
  }

  private static OptionalInt number(String digits) {
    try {
      int number = Integer.parseInt(digits);
      return number >= 0 ? OptionalInt.of(number) : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }
}

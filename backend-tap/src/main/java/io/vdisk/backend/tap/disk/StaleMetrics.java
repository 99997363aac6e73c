package io.vdisk.backend.tap.disk;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The folders {@code td3-PID} of processes that were killed and could not remove their files.
 *
 * @param folder where they lie; it may be everybody's, so links are not followed, not even those
 *     that are made meanwhile
 */
record StaleMetrics(Path folder) {
  /** How their names begin. */
  static final String FOLDER = "td3-";

  private static final Pattern NAME = Pattern.compile(FOLDER + "([0-9]{1,9})");

  /** Removes the files of one device, and folders that are empty then. */
  void remove(String file) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, FOLDER + "*")) {
      if (all instanceof SecureDirectoryStream<Path> secure) {
        for (Path one : all) {
          Path name = folder.relativize(one);
          if (isOfDeadProcess(name.toString())) {
            remove(secure, name, Path.of(file));
          }
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private static boolean isOfDeadProcess(String name) {
    Matcher matcher = NAME.matcher(name);
    return matcher.matches() && ProcessHandle.of(Long.parseLong(matcher.group(1))).isEmpty();
  }

  /** What cannot be removed stays: nobody reads it. */
  private static void remove(SecureDirectoryStream<Path> above, Path name, Path file) {
    try {
      try (SecureDirectoryStream<Path> within =
          above.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
        within.deleteFile(file);
      }
      above.deleteDirectory(name);
    } catch (IOException e) {
      assert !name.isAbsolute(); // a link, none of this device, or that of another one, too
    }
  }
}

package io.vdisk.spi;

import io.vdisk.FormatOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** A constant of the enum in which a format has its options, so that a switch knows them all. */
public interface DeclaredOption {
  /** What a program can show of it. */
  FormatOption declared();

  /**
   * The option of this name.
   *
   * @param format its name, for the message
   * @throws IllegalArgumentException if there is none
   */
  static <T extends DeclaredOption> T named(String name, T[] all, String format) {
    for (T option : all) {
      if (option.declared().name().equals(name)) {
        return option;
      }
    }
    throw new IllegalArgumentException(format + " has no option '" + name + "'");
  }

  /** These, behind others that are not the format's own. */
  static List<FormatOption> behind(
      Collection<FormatOption> others, Collection<? extends DeclaredOption> own) {
    List<FormatOption> all = new ArrayList<>(others);
    own.forEach(option -> all.add(option.declared()));
    return List.copyOf(all);
  }
}

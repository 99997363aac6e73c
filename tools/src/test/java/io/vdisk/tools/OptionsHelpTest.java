package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OptionsHelpTest {
  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int vdisk(String words) {
    return shell.run(Vdisk::run, words.split(" "));
  }

  @Test
  void optionsAreListedAsQemuListsThem() {
    assertEquals(0, vdisk("create -f raw -o help"), () -> shell.err);

    assertEquals(
        """
        Supported raw options:
          preallocation=<str>    - off (default): a sparse file; falloc: space set aside; full: zeroes written
          size=<size>            - the size of the disk
        """,
        shell.out);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "create -f qcow2 -o ? /a",
        "create -f qcow2 -o cluster_size=4k,help /a 1M",
        "convert -O qcow2 -o help",
        "convert -O qcow2 -o help /missing /a",
        "measure -O qcow2 -o help"
      })
  void helpIsAnsweredAndNothingDone(String words) throws IOException {
    assertEquals(0, vdisk(words), () -> shell.err);

    assertTrue(shell.out.startsWith("Supported qcow2 options:\n  backing_file=<str> "), shell.out);
    assertEquals(List.of(), shell.names());
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow2", "qcow", "vpc", "vhdx", "vmdk"})
  void everyOptionOfQemuButADeprecatedOneIsThere(String format) throws IOException {
    Requirements.need("qemu-img");
    assertEquals(0, vdisk("create -f " + format + " -o help"), () -> shell.err);
    Set<String> ours = names(shell.out);
    assertEquals(0, shell.program("qemu-img", "create", "-f", format, "-o", "help"));
    Set<String> theirs = names(shell.out);
    theirs.remove("encryption");

    theirs.removeAll(ours);
    assertEquals(Set.of(), theirs);
  }

  @Test
  void everyOptionOfQemuThatCanBeAmendedIsThere() throws IOException {
    Requirements.need("qemu-img");
    assertEquals(0, vdisk("amend -f qcow2 -o help"), () -> shell.err);
    String head = shell.out.lines().findFirst().orElseThrow();
    Set<String> ours = names(shell.out);
    assertEquals(0, shell.program("qemu-img", "amend", "-f", "qcow2", "-o", "help"));

    assertEquals(names(shell.out), ours);
    assertEquals(shell.out.lines().findFirst().orElseThrow(), head);
  }

  private static Set<String> names(String help) {
    return help.lines()
        .filter(line -> line.startsWith("  "))
        .map(line -> line.substring(2, line.indexOf('=')))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void amendWithoutAFormatTellsOfThatOfTheFile() throws IOException {
    assertEquals(0, vdisk("create -q -f vhd /a 1M"));

    assertEquals(0, vdisk("amend -o help /a"), () -> shell.err);

    assertTrue(shell.out.startsWith("Amend options for 'vhd':\n"), shell.out);
    assertTrue(shell.out.contains("\n  hidden=<num>           - "), shell.out);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "create -f tape -o help | there is no format 'tape' here",
        "create -f ova -o help | ova images have no options of creation",
        "amend -f qcow -o help | qcow images have no options of amendment",
        "convert -o help | -O FORMAT is missing (see vdisk --help)",
        "amend -o help | expected one FILE, or -f, found 0 operands (see vdisk --help)"
      })
  void whatHasNoneIsToldInOneSentence(String words, String sentence) {
    assertEquals(1, vdisk(words));

    assertEquals("vdisk: " + sentence + "\n", shell.err);
    assertEquals("", shell.out);
  }
}

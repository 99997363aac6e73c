package io.vdisk.bench.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.bench.host.Command;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CatalogueTest {
  private static final List<Case> CASES = Catalogue.of(Scale.FULL);

  @Test
  void namesAreUnique() {
    Set<String> names = new HashSet<>();

    for (Case work : CASES) {
      assertTrue(names.add(work.name()), work.name());
      assertTrue(work.name().matches("[a-z0-9-]+"), work.name());
    }
  }

  @Test
  void commandsNameWhatTheCaseHas() {
    for (Case work : CASES) {
      Stream.concat(Stream.of(work.ours()), work.peers().stream())
          .forEach(
              command -> {
                assertEquals(!work.inputs().isEmpty(), has(command, "{in}"), work.name());
                assertEquals(work.target().isFile(), has(command, "{out}"), work.name());
              });
    }
  }

  private static boolean has(Command command, String place) {
    return command.words().stream().anyMatch(word -> word.contains(place));
  }

  @Test
  void likeIsComparedWithLike() {
    for (Case work : CASES) {
      boolean unsafe = work.ours().words().contains("unsafe");
      for (Command peer : work.peers()) {
        if (work.ours().words().contains("convert")) {
          assertEquals(!unsafe, peer.words().contains("writeback"), work.name());
        }
      }
    }
  }

  @Test
  void filesOfInputsAreTheirOwn() {
    Set<Object> inputs = new HashSet<>();
    Set<String> files = new HashSet<>();
    for (Case work : CASES) {
      inputs.addAll(work.inputs());
      work.inputs().forEach(input -> files.add(input.fileName()));
    }

    assertEquals(inputs.size(), files.size());
  }
}

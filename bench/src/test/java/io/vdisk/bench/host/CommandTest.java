package io.vdisk.bench.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CommandTest {
  @Test
  void fileWithSpacesStaysOneWord() {
    Command command = Command.of(" cat  {in} ").withFile("in", "/a b/c");

    assertEquals(List.of("cat", "/a b/c"), command.words());
  }

  @Test
  void environmentIsAddedTo() {
    Command command =
        Command.of("vdisk").withEnvironment(Map.of("A", "1")).withEnvironment(Map.of("B", "2"));

    assertEquals(Map.of("A", "1", "B", "2"), command.environment());
  }

  @Test
  void loopQuotesWordsAndCountsOutputs() {
    Command loop = Command.of("make {out}").withFile("out", "/it's/out$i").repeated(3);

    assertEquals(
        List.of(
            "sh",
            "-c",
            "i=0; while [ $i -lt 3 ]; do 'make' '/it'\\''s/out'$i || exit; i=$((i + 1)); done"),
        loop.words());
  }

  @Test
  void programIsTheFirstWord() {
    assertEquals("/x/vdisk info", Command.of("vdisk info").withProgram("/x/vdisk").toString());
  }
}

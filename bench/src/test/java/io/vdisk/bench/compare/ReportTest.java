package io.vdisk.bench.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.vdisk.bench.host.Command;
import io.vdisk.bench.input.FileSystem;
import io.vdisk.bench.stats.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  private static final Case PLAIN =
      Case.of("plain", "a title", "vdisk x", List.of("slow", "fast")).withJavaOptions("-Xmx64m");
  private static final Case SLOPE =
      Case.of("slope", "another", "vdisk y", List.of("peer"))
          .on(new FileSystem(1), new FileSystem(2));

  @TempDir Path folder;

  private static Report report() {
    Command fast = PLAIN.peers().get(1);
    List<Trial> trials =
        List.of(new Trial(PLAIN.peers().get(0), Sample.of(9)), new Trial(fast, Sample.of(2)));
    return new Report(
        Map.of("qemu", "7.2"),
        List.of(
            new Outcome(
                PLAIN, fast, trials, List.of(List.of(RowTest.pair(1, 2))), Optional.empty()),
            new Outcome(
                SLOPE,
                SLOPE.peers().get(0),
                List.of(),
                List.of(List.of(RowTest.pair(1, 1)), List.of(RowTest.pair(2, 3))),
                Optional.of("broke"))));
  }

  @Test
  void markdownHasTheFiguresAndTheCommands() {
    String text = report().markdown();

    assertTrue(
        text.contains(
            "| plain | 1.000 (1.000-1.000) | 2.000 (2.000-2.000) | 0.50 (0.50-0.50) | 0.50 | 1 | 0 |"),
        text);
    assertTrue(text.contains("| slope, slope | 1.000 (1.000-1.000) | 2.000 "), text);
    assertTrue(text.contains("`VDISK_JAVA_OPTS=-Xmx64m vdisk x` against `fast`"), text);
    assertTrue(text.contains("  - tried: `slow`, at best 9.000 s\n"), text);
    assertTrue(
        text.contains("| slope | 2.00 (2.00-2.00) | 2.00 | 3.00 (3.00-3.00) | 3.00 |\n"), text);
    assertTrue(text.contains("**slope failed**: broke"), text);
    assertTrue(text.contains("- qemu: 7.2\n"), text);
  }

  @Test
  void jsonHasEveryRun() throws IOException {
    report().write(folder);

    JsonObject json =
        JsonParser.parseString(Files.readString(folder.resolve("report.json"))).getAsJsonObject();
    JsonObject plain = json.getAsJsonArray("cases").get(0).getAsJsonObject();
    JsonObject slope = json.getAsJsonArray("cases").get(1).getAsJsonObject();
    JsonObject pair =
        plain.getAsJsonArray("series").get(0).getAsJsonArray().get(0).getAsJsonObject();

    assertEquals("fast", plain.get("peer").getAsString());
    assertEquals(2, pair.getAsJsonObject("peer").get("wall").getAsDouble());
    assertEquals(2, plain.getAsJsonArray("settings").size());
    assertEquals(3, slope.getAsJsonArray("rows").size());
    assertEquals("broke", slope.get("failure").getAsString());
    assertFalse(plain.has("failure"));
  }

  @Test
  void chartHasABarForEachRatio() throws IOException {
    report().write(folder);

    String svg = Files.readString(folder.resolve("report.svg"));

    assertTrue(svg.contains(">plain</text>"), svg);
    assertTrue(svg.contains(">slope, slope</text>"), svg);
  }
}

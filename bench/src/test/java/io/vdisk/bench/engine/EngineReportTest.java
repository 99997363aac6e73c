package io.vdisk.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineReportTest {
  @TempDir Path folder;

  private static EngineReport report() {
    Entry entry = new Entry(new Work(Operation.READ, "qcow2", 4096, "random"), 1);
    entry.expect("engine");
    entry.expect("LocalFile");
    entry.expect("qemu-img bench -d 1");
    entry.add("LocalFile", Rate.of(1_000_000, 0.9e-6).beside(0.25));
    entry.add("engine", Rate.of(800_000, 1.8e-6));
    entry.add("engine", Rate.of(900_000, 1.8e-6));
    entry.add("LocalFile", Rate.of(1_000_000, 0.9e-6).beside(0.25));
    return new EngineReport(
        Map.of("jvm", "25"),
        List.of(entry),
        List.of(new Overhead("read-qcow2-4k-random", 1, 900, 990, 1.1, 1.05, 1.15, 1000)),
        List.of("something broke"));
  }

  @Test
  void tableHasWhatWasMeasured() {
    String text = report().markdown();

    assertTrue(
        text.contains(
            "| read-qcow2-4k-random | 1 | LocalFile | 1000 (1000) | 0.90 | 0.85 (0.83-0.88) | 0.90"
                + " | 2.00 (2.00-2.00) | 25 |"),
        text);
    assertTrue(
        text.contains("| read-qcow2-4k-random | 1 | 900 | 990 | 1.100 (1.050-1.150) | 1000 |"),
        text);
    assertTrue(text.contains("**Failed**: something broke"), text);
    assertTrue(!text.contains("qemu-img bench"), text);
    assertTrue(text.indexOf("| engine |") < text.indexOf("| LocalFile |"), text);
  }

  @Test
  void jsonHasEveryRound() throws IOException {
    report().write(folder);

    JsonObject json =
        JsonParser.parseString(Files.readString(folder.resolve("engine.json"))).getAsJsonObject();
    JsonObject engine = json.getAsJsonArray("requests").get(0).getAsJsonObject();

    assertEquals("engine", engine.get("by").getAsString());
    assertEquals(900_000, engine.getAsJsonArray("perSecond").get(1).getAsDouble());
    assertEquals(
        1.1, json.getAsJsonArray("overheads").get(0).getAsJsonObject().get("ratio").getAsDouble());
  }

  @Test
  void chartComparesTimes() throws IOException {
    report().write(folder);

    // 1 / 0.85
    assertTrue(Files.readString(folder.resolve("engine.svg")).contains(">1.18</text>"));
  }
}

package io.vdisk.bench.engine;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.vdisk.bench.report.Figures;
import io.vdisk.bench.report.MarkdownTable;
import io.vdisk.bench.report.RatioChart;
import io.vdisk.bench.stats.Ratio;
import io.vdisk.bench.stats.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What was measured, for people and for programs. */
record EngineReport(
    Map<String, String> facts, List<Entry> entries, List<Overhead> overheads, List<String> notes) {
  private static final String ENGINE = Subject.ENGINE.word();

  /** Writes engine.md, engine.json and engine.svg. */
  void write(Path folder) throws IOException {
    Files.writeString(folder.resolve("engine.md"), markdown());
    Files.writeString(folder.resolve("engine.json"), json() + "\n");
    Files.writeString(folder.resolve("engine.svg"), chart());
  }

  String markdown() {
    StringBuilder text = new StringBuilder("# The engine beside bare files and QEMU\n\n");
    facts.forEach((name, fact) -> text.append("- " + name + ": " + fact + "\n"));
    text.append(
        "\nThe engine's rate divided by the other's: above 1 it is faster. CPU of a request divided by"
            + " the other's: below 1 it costs less.\n\n");
    text.append(rates());
    if (!overheads.isEmpty()) {
      text.append("\nA table hit over `LocalFile.read` of the same bytes, CPU of the thread:\n\n");
      text.append(overheadTable());
    }
    notes.forEach(note -> text.append("\n**Failed**: " + note + "\n"));
    return text.toString();
  }

  private MarkdownTable rates() {
    MarkdownTable table =
        new MarkdownTable(
            "requests",
            "threads",
            "by",
            "k/s median (most)",
            "CPU us a request",
            "rate, engine to it (quartiles)",
            "best to best",
            "CPU, engine to it",
            "others, % of a CPU");
    for (Entry entry : entries) {
      for (String participant : entry.participants()) {
        List<Rate> rates = entry.rates(participant);
        Sample speed = speed(rates);
        Optional<Ratio> ratio = ratio(entry, participant);
        table.add(
            entry.work().name(),
            Integer.toString(entry.threads()),
            participant,
            thousands(speed.median()) + " (" + thousands(speed.max()) + ")",
            String.format(Locale.ROOT, "%.2f", cpu(rates).median() * 1e6),
            Figures.ofPairs(ratio),
            Figures.ratio(bestToBest(entry, participant)),
            Figures.ofPairs(cpuRatio(entry, participant)),
            String.format(Locale.ROOT, "%.0f", foreign(rates).median() * 100));
      }
    }
    return table;
  }

  private MarkdownTable overheadTable() {
    MarkdownTable table =
        new MarkdownTable(
            "reads", "threads", "LocalFile ns", "engine ns", "ratio (quartiles)", "slices");
    for (Overhead overhead : overheads) {
      table.add(
          overhead.name(),
          Integer.toString(overhead.threads()),
          String.format(Locale.ROOT, "%.0f", overhead.bareNanos()),
          String.format(Locale.ROOT, "%.0f", overhead.engineNanos()),
          String.format(
              Locale.ROOT,
              "%.3f (%.3f-%.3f)",
              overhead.ratio(),
              overhead.lowerQuartile(),
              overhead.upperQuartile()),
          Integer.toString(overhead.slices()));
    }
    return table;
  }

  private static Optional<Ratio> ratio(Entry entry, String participant) {
    return entry.rates(ENGINE).size() == entry.rates(participant).size()
        ? Ratio.of(
            entry.rates(ENGINE).stream().map(Rate::perSecond).toList(),
            entry.rates(participant).stream().map(Rate::perSecond).toList())
        : Optional.empty();
  }

  private static Optional<Ratio> cpuRatio(Entry entry, String participant) {
    return entry.rates(ENGINE).size() == entry.rates(participant).size()
        ? Ratio.of(
            entry.rates(ENGINE).stream().map(Rate::cpu).toList(),
            entry.rates(participant).stream().map(Rate::cpu).toList())
        : Optional.empty();
  }

  private static double bestToBest(Entry entry, String participant) {
    List<Rate> engine = entry.rates(ENGINE);
    return engine.isEmpty()
        ? Double.NaN
        : speed(engine).max() / speed(entry.rates(participant)).max();
  }

  private static Sample speed(List<Rate> rates) {
    return Sample.of(rates.stream().map(Rate::perSecond).toList());
  }

  private static Sample cpu(List<Rate> rates) {
    return Sample.of(rates.stream().map(Rate::cpu).toList());
  }

  private static Sample foreign(List<Rate> rates) {
    return Sample.of(rates.stream().map(Rate::foreign).toList());
  }

  private static String thousands(double perSecond) {
    return String.format(Locale.ROOT, perSecond < 1e5 ? "%.1f" : "%.0f", perSecond / 1000);
  }

  private String json() {
    JsonObject all = new JsonObject();
    JsonObject machine = new JsonObject();
    facts.forEach(machine::addProperty);
    all.add("facts", machine);
    JsonArray measured = new JsonArray();
    for (Entry entry : entries) {
      for (String participant : entry.participants()) {
        JsonObject json = new JsonObject();
        json.addProperty("requests", entry.work().name());
        json.addProperty("threads", entry.threads());
        json.addProperty("by", participant);
        json.add("perSecond", array(entry.rates(participant).stream().map(Rate::perSecond)));
        json.add("cpuSeconds", array(entry.rates(participant).stream().map(Rate::cpu)));
        json.add("foreign", array(entry.rates(participant).stream().map(Rate::foreign)));
        measured.add(json);
      }
    }
    all.add("requests", measured);
    GsonBuilder builder = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping();
    all.add("overheads", builder.create().toJsonTree(overheads));
    return builder.create().toJson(all);
  }

  private static JsonArray array(Stream<Double> values) {
    JsonArray array = new JsonArray();
    values.forEach(array::add);
    return array;
  }

  private String chart() {
    RatioChart chart = new RatioChart("time of a request, engine / other (median, quartiles)");
    for (Entry entry : entries) {
      for (String participant : entry.participants()) {
        if (!participant.equals(ENGINE)) {
          String label = entry.work().name() + " x" + entry.threads() + ", " + participant;
          ratio(entry, participant)
              .ifPresent(
                  r ->
                      chart.add(
                          label, 1 / r.median(), 1 / r.upperQuartile(), 1 / r.lowerQuartile()));
        }
      }
    }
    return chart.toString();
  }
}

package io.vdisk.bench.compare;

import io.vdisk.bench.report.Figures;
import io.vdisk.bench.report.MarkdownTable;
import io.vdisk.bench.report.RatioChart;
import io.vdisk.bench.stats.Ratio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What came of the cases, for people (Markdown, SVG) and programs (JSON).
 *
 * @param facts of the machine and of this run
 */
record Report(Map<String, String> facts, List<Outcome> outcomes) {

  /** Writes report.md, report.json and report.svg. */
  void write(Path folder) throws IOException {
    Files.writeString(folder.resolve("report.md"), markdown());
    Files.writeString(folder.resolve("report.json"), ReportJson.of(this) + "\n");
    Files.writeString(folder.resolve("report.svg"), chart());
  }

  String markdown() {
    StringBuilder text = new StringBuilder("# vdisk beside its peers\n\n");
    facts.forEach(
        (name, fact) -> text.append("- ").append(name).append(": ").append(fact).append('\n'));
    text.append(
        "\nOurs divided by the other side's, so that below 1 is better. Seconds: median (least-most).\n\n");
    text.append(times()).append('\n').append(costs());
    MarkdownTable growth = growth();
    if (!growth.isEmpty()) {
      text.append("\nThe time on the large input divided by that on the small one:\n\n")
          .append(growth);
    }
    commands(text);
    failures(text);
    return text.toString();
  }

  private MarkdownTable times() {
    MarkdownTable table =
        new MarkdownTable(
            "case",
            "ours s",
            "peer s",
            "ratio of pairs (quartiles)",
            "ratio of minima",
            "pairs",
            "disturbed");
    for (Row row : rows()) {
      table.add(
          row.name(),
          Figures.seconds(row.ours().wall()),
          Figures.seconds(row.peer().wall()),
          Figures.ofPairs(row.wall()),
          Figures.ofMinima(row.wall()),
          Integer.toString(row.ours().wall().size()),
          Integer.toString(row.disturbed()));
    }
    return table;
  }

  private MarkdownTable costs() {
    MarkdownTable table =
        new MarkdownTable(
            "case",
            "ours CPU s",
            "peer CPU s",
            "ratio of pairs (quartiles)",
            "ratio of minima",
            "ours peak MiB",
            "peer peak MiB",
            "ours on disk MiB",
            "peer on disk MiB");
    for (Row row : rows()) {
      table.add(
          row.name(),
          Figures.seconds(row.ours().cpu()),
          Figures.seconds(row.peer().cpu()),
          Figures.ofPairs(row.cpu()),
          Figures.ofMinima(row.cpu()),
          Figures.mebibytes(row.ours().peakMib()),
          Figures.mebibytes(row.peer().peakMib()),
          Figures.mebibytes(row.ours().diskMib()),
          Figures.mebibytes(row.peer().diskMib()));
    }
    return table;
  }

  private MarkdownTable growth() {
    MarkdownTable table =
        new MarkdownTable("case", "ours (quartiles)", "of minima", "peer (quartiles)", "of minima");
    for (Outcome outcome : outcomes) {
      outcome
          .growth()
          .ifPresent(
              g ->
                  table.add(
                      g.name(),
                      Figures.ofPairs(g.ours()),
                      Figures.ofMinima(g.ours()),
                      Figures.ofPairs(g.peer()),
                      Figures.ofMinima(g.peer())));
    }
    return table;
  }

  private void commands(StringBuilder text) {
    text.append("\nCommands:\n");
    for (Outcome outcome : outcomes) {
      Case work = outcome.work();
      text.append("- ").append(work.name()).append(": ").append(work.title()).append(". `");
      work.ours().environment().forEach((key, value) -> text.append(key + "=" + value + " "));
      text.append(work.ours()).append("` against `").append(outcome.peer()).append('`');
      text.append('\n');
      if (outcome.trials().size() > 1) {
        for (Trial trial : outcome.trials()) {
          text.append("  - tried: `").append(trial.command()).append("`, at best ");
          text.append(Figures.seconds(trial.wall().min())).append(" s\n");
        }
      }
    }
  }

  private void failures(StringBuilder text) {
    for (Outcome outcome : outcomes) {
      if (outcome.failure().isPresent()) {
        text.append("\n**").append(outcome.work().name()).append(" failed**: ");
        text.append(outcome.failure().get()).append('\n');
      }
    }
  }

  private String chart() {
    RatioChart chart = new RatioChart("wall time, ours / peer (median of pairs, quartiles)");
    for (Row row : rows()) {
      Optional<Ratio> wall = row.wall().filter(ratio -> ratio.lowerQuartile() > 0);
      wall.ifPresent(r -> chart.add(row.name(), r.median(), r.lowerQuartile(), r.upperQuartile()));
    }
    return chart.toString();
  }

  private List<Row> rows() {
    return outcomes.stream().flatMap(outcome -> outcome.rows().stream()).toList();
  }
}

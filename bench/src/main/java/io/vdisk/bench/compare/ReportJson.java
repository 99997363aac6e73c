package io.vdisk.bench.compare;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.vdisk.bench.host.Run;
import io.vdisk.bench.stats.Ratio;
import io.vdisk.bench.stats.Sample;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A report for programs: every run, and what the tables say. */
final class ReportJson {
  private ReportJson() {}

  static String of(Report report) {
    JsonObject all = new JsonObject();
    JsonObject facts = new JsonObject();
    report.facts().forEach(facts::addProperty);
    all.add("facts", facts);
    all.add("cases", array(report.outcomes(), ReportJson::outcome));
    return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(all);
  }

  private static <T> JsonArray array(List<T> values, Function<T, JsonObject> each) {
    JsonArray array = new JsonArray();
    values.forEach(value -> array.add(each.apply(value)));
    return array;
  }

  private static JsonObject outcome(Outcome outcome) {
    JsonObject json = new JsonObject();
    json.addProperty("name", outcome.work().name());
    json.addProperty("title", outcome.work().title());
    json.addProperty("ours", outcome.work().ours().toString());
    json.addProperty("peer", outcome.peer().toString());
    outcome.failure().ifPresent(text -> json.addProperty("failure", text));
    json.add("settings", array(outcome.trials(), ReportJson::trial));
    json.add("rows", array(outcome.rows(), ReportJson::row));
    JsonArray series = new JsonArray();
    outcome.series().forEach(pairs -> series.add(array(pairs, ReportJson::pair)));
    json.add("series", series);
    return json;
  }

  private static JsonObject trial(Trial trial) {
    JsonObject json = new JsonObject();
    json.addProperty("command", trial.command().toString());
    json.add("wall", sample(trial.wall()));
    return json;
  }

  private static JsonObject row(Row row) {
    JsonObject json = new JsonObject();
    json.addProperty("name", row.name());
    json.add("ours", side(row.ours()));
    json.add("peer", side(row.peer()));
    add(json, "wallRatio", row.wall());
    add(json, "cpuRatio", row.cpu());
    json.addProperty("disturbed", row.disturbed());
    return json;
  }

  private static JsonObject side(Row.Side side) {
    JsonObject json = new JsonObject();
    json.add("wall", sample(side.wall()));
    json.add("cpu", sample(side.cpu()));
    json.addProperty("peakMib", side.peakMib());
    json.addProperty("diskMib", side.diskMib());
    return json;
  }

  private static JsonObject sample(Sample sample) {
    JsonObject json = new JsonObject();
    json.addProperty("min", sample.min());
    json.addProperty("lowerQuartile", sample.lowerQuartile());
    json.addProperty("median", sample.median());
    json.addProperty("upperQuartile", sample.upperQuartile());
    json.addProperty("max", sample.max());
    return json;
  }

  private static void add(JsonObject json, String name, Optional<Ratio> ratio) {
    if (ratio.isPresent()) {
      JsonObject object = new JsonObject();
      object.addProperty("pairs", ratio.get().pairs());
      object.addProperty("median", ratio.get().median());
      object.addProperty("lowerQuartile", ratio.get().lowerQuartile());
      object.addProperty("upperQuartile", ratio.get().upperQuartile());
      object.addProperty("ofMinima", ratio.get().ofMinima());
      json.add(name, object);
    }
  }

  private static JsonObject pair(Pair pair) {
    JsonObject json = new JsonObject();
    json.add("ours", measured(pair.ours()));
    json.add("peer", measured(pair.peer()));
    return json;
  }

  private static JsonObject measured(Measured measured) {
    Run run = measured.run();
    JsonObject json = new JsonObject();
    json.addProperty("wall", run.wall());
    json.addProperty("cpu", run.cpu());
    json.addProperty("peakKib", run.peakKib());
    json.addProperty("diskBytes", measured.diskBytes());
    json.addProperty("foreign", run.foreign());
    json.addProperty("stolen", run.stolen());
    return json;
  }
}

package io.vdisk.format.qcow2;

import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Finding;
import io.vdisk.feature.CheckReport.Severity;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a check finds, counted by severity. A sentence is made only while there is room for it: a
 * broken image can have any number of faults. One thread.
 */
final class Findings {
  private final Map<Severity, Long> counts = new EnumMap<>(Severity.class);
  private final List<Finding> sentences = new ArrayList<>();

  /** A fault that counts once. */
  void error(Supplier<String> sentence) {
    add(Severity.ERROR, 1, sentence);
  }

  /** A fault of something that so many tables name, and that counts for each. */
  void error(long times, Supplier<String> sentence) {
    add(Severity.ERROR, times, sentence);
  }

  void add(Severity severity, long times, Supplier<String> sentence) {
    counts.merge(severity, times, Long::sum);
    if (sentences.size() < CheckReport.MAX_MESSAGES) {
      sentences.add(new Finding(severity, sentence.get()));
    }
  }

  long count(Severity severity) {
    return counts.getOrDefault(severity, 0L);
  }

  boolean has(Severity severity) {
    return count(severity) > 0;
  }

  /** Adds what others are of a severity. */
  void addAll(Findings others, Severity severity) {
    counts.merge(severity, others.count(severity), Long::sum);
    for (Finding finding : others.sentences) {
      if (finding.severity() == severity && sentences.size() < CheckReport.MAX_MESSAGES) {
        sentences.add(finding);
      }
    }
  }

  /** Adds everything to a report. */
  void addTo(CheckReport.Builder report) {
    Map<Severity, Long> unsaid = new EnumMap<>(counts);
    for (Finding finding : sentences) {
      report.add(finding.severity(), finding.message());
      unsaid.merge(finding.severity(), -1L, Long::sum);
    }
    unsaid.forEach(
        (severity, times) -> {
          if (times > 0) {
            report.add(severity, times, "and " + times + " more like these");
          }
        });
  }
}

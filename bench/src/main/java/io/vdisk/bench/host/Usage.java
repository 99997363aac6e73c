package io.vdisk.bench.host;

import java.io.IOException;
import java.util.List;

/**
 * What GNU time says of a command and its children: user and system seconds of CPU, in hundredths,
 * and the peak memory of the largest process, in KiB.
 */
record Usage(double user, double system, long peakKib) {
  /** The format to ask for. */
  static final String FORMAT = "%U %S %M";

  /** Of the last line; before it stand complaints of a command that failed. */
  static Usage parse(List<String> report) throws IOException {
    String line = report.isEmpty() ? "" : report.get(report.size() - 1);
    String[] fields = line.trim().split(" +", -1);
    if (fields.length != 3) {
      throw new IOException("GNU time reported '" + line + "'");
    }
    return new Usage(
        Double.parseDouble(fields[0]), Double.parseDouble(fields[1]), Long.parseLong(fields[2]));
  }

  double cpu() {
    return user + system;
  }
}

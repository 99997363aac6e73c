package io.vdisk.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A chart of ratios as SVG: a bar from 1 to each, to the left where ours takes less, with a line
 * from quartile to quartile. The scale is logarithmic, so that half and double are equally long.
 */
public final class RatioChart {
  private static final int LETTER = 8;
  private static final int BARS = 520;
  private static final int FIGURES = 80;
  private static final int LINE = 24;
  private static final int TOP = 56;

  private record Bar(String label, double value, double lower, double upper) {}

  private final String title;
  private final List<Bar> bars = new ArrayList<>();

  public RatioChart(String title) {
    this.title = title;
  }

  /**
   * Adds a bar.
   *
   * @throws IllegalArgumentException if the ratio or a quartile is not above zero
   */
  public void add(String label, double ratio, double lowerQuartile, double upperQuartile) {
    if (!(ratio > 0 && lowerQuartile > 0 && upperQuartile > 0)) {
      throw new IllegalArgumentException(label + ": a ratio is above zero");
    }
    bars.add(new Bar(label, ratio, lowerQuartile, upperQuartile));
  }

  @Override
  public String toString() {
    int height = TOP + LINE * bars.size() + LINE;
    int labels =
        2 * LETTER + LETTER * bars.stream().mapToInt(b -> b.label.length()).max().orElse(0);
    int width = labels + BARS + FIGURES;
    int least = bars.stream().mapToInt(bar -> floor(bar.lower)).min().orElse(0);
    int most = bars.stream().mapToInt(bar -> -floor(1 / bar.upper)).max().orElse(0);
    Axis axis = new Axis(labels, Math.min(least, -1), Math.max(most, 1));
    StringBuilder svg = new StringBuilder();
    svg.append(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
                + " viewBox=\"0 0 %1$d %2$d\" font-family=\"sans-serif\" font-size=\"13\">%n"
                + "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n"
                + "<text x=\"10\" y=\"20\" font-weight=\"bold\">%s</text>%n",
            width,
            height,
            escaped(title)));
    grid(svg, axis, height - LINE);
    for (int i = 0; i < bars.size(); i++) {
      bar(svg, axis, bars.get(i), TOP + LINE * i);
    }
    return svg.append("</svg>\n").toString();
  }

  /**
   * From 2 to the power of {@code least} to 2 to the power of {@code most}, right of the labels.
   */
  private record Axis(int left, int least, int most) {
    double x(double ratio) {
      return left + BARS * (log2(ratio) - least) / (most - least);
    }
  }

  private static double log2(double ratio) {
    return Math.log(ratio) / Math.log(2);
  }

  private static int floor(double ratio) {
    return (int) Math.floor(log2(ratio));
  }

  private static void grid(StringBuilder svg, Axis axis, int bottom) {
    int step = Math.max(1, (axis.most - axis.least) / 10);
    for (int power = axis.least; power <= axis.most; power++) {
      if (power % step != 0) {
        continue;
      }
      double ratio = Math.pow(2, power);
      svg.append(
          String.format(
              Locale.ROOT,
              "<line x1=\"%.1f\" y1=\"%d\" x2=\"%1$.1f\" y2=\"%d\" stroke=\"%s\"/>%n"
                  + "<text x=\"%1$.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#555\">%s</text>%n",
              axis.x(ratio),
              TOP - 6,
              bottom,
              power == 0 ? "black" : "#ddd",
              TOP - 12,
              Figures.ratio(ratio)));
    }
  }

  private static void bar(StringBuilder svg, Axis axis, Bar bar, int y) {
    double from = axis.x(Math.min(1, bar.value));
    double to = axis.x(Math.max(1, bar.value));
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n"
                + "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
            axis.left - 10,
            y + 13,
            escaped(bar.label),
            from,
            y + 3,
            to - from,
            LINE - 10,
            bar.value <= 1 ? "#2a9d63" : "#c8553d"));
    svg.append(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%2$d\" stroke=\"black\"/>%n"
                + "<text x=\"%d\" y=\"%d\">%s</text>%n",
            axis.x(bar.lower),
            y + LINE / 2 - 2,
            axis.x(bar.upper),
            axis.left + BARS + 10,
            y + 13,
            Figures.ratio(bar.value)));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}

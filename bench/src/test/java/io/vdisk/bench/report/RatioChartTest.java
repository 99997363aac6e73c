package io.vdisk.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class RatioChartTest {
  private static Document parse(RatioChart chart) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(chart.toString())));
  }

  /** The bars; the first rectangle is the paper. */
  private static List<Element> bars(Document svg) {
    NodeList rectangles = svg.getElementsByTagName("rect");
    List<Element> bars = new ArrayList<>();
    for (int i = 1; i < rectangles.getLength(); i++) {
      bars.add((Element) rectangles.item(i));
    }
    return bars;
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }

  @Test
  void halfAndDoubleAreEquallyLongOnEitherSideOfOne() throws Exception {
    RatioChart chart = new RatioChart("t");
    chart.add("half", 0.5, 0.5, 0.5);
    chart.add("double", 2, 2, 2);

    List<Element> bars = bars(parse(chart));

    assertEquals(number(bars.get(0), "width"), number(bars.get(1), "width"), 0.2);
    assertEquals(
        number(bars.get(0), "x") + number(bars.get(0), "width"), number(bars.get(1), "x"), 0.2);
  }

  @Test
  void labelsAreText() throws Exception {
    RatioChart chart = new RatioChart("a < b & c");
    chart.add("<x>", 1, 0.9, 1.1);

    Document svg = parse(chart);

    assertEquals("a < b & c", svg.getElementsByTagName("text").item(0).getTextContent());
    assertTrue(chart.toString().contains("&lt;x&gt;"));
  }

  @Test
  void everythingLiesOnThePaper() throws Exception {
    RatioChart chart = new RatioChart("t");
    chart.add("small", 0.011, 0.001, 0.02);
    chart.add("large", 900, 700, 1500);

    Document svg = parse(chart);
    double width = number(svg.getDocumentElement(), "width");
    NodeList lines = svg.getElementsByTagName("line");

    for (int i = 0; i < lines.getLength(); i++) {
      assertTrue(number((Element) lines.item(i), "x1") >= 0);
      assertTrue(number((Element) lines.item(i), "x2") <= width);
    }
  }

  @Test
  void ratioThatIsNotAboveZeroIsRefused() {
    RatioChart chart = new RatioChart("t");

    assertThrows(IllegalArgumentException.class, () -> chart.add("x", 1, -0.5, 2));
    assertThrows(IllegalArgumentException.class, () -> chart.add("x", Double.NaN, 1, 2));
  }

  @Test
  void emptyChartIsStillOne() throws Exception {
    assertEquals(List.of(), bars(parse(new RatioChart("t"))));
  }
}

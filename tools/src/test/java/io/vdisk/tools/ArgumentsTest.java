package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
  private static Arguments parse(String... words) throws UsageException {
    return new Arguments.Syntax()
        .flag("-c")
        .flag("-p", "-r", "--reserve")
        .value("-f", "--format")
        .parse(List.of(words));
  }

  private static String refusal(String... words) {
    return assertThrows(UsageException.class, () -> parse(words)).getMessage();
  }

  @Test
  void optionsMayFollowOperands() throws UsageException {
    Arguments arguments = parse("one", "-c", "two", "-f", "raw");

    assertEquals(List.of("one", "two"), arguments.operands());
    assertTrue(arguments.has("-c"));
    assertEquals("raw", arguments.value("--format").orElseThrow());
  }

  @Test
  void valueIsFoundInEverySpelling() throws UsageException {
    for (String[] words :
        new String[][] {
          {"-f", "raw"},
          {"-fraw"},
          {"-cfraw"},
          {"-cf", "raw"},
          {"--format=raw"},
          {"--format", "raw"}
        }) {
      assertEquals(List.of("raw"), parse(words).values("--format"));
    }
  }

  @Test
  void oldLetterMeansTheSame() throws UsageException {
    assertTrue(parse("-p").has("--reserve"));
    assertTrue(parse("-r").has("--reserve"));
    assertFalse(parse("-c").has("--reserve"));
  }

  @Test
  void lastValueCounts() throws UsageException {
    assertEquals("b", parse("-f", "a", "-f", "b").value("--format").orElseThrow());
  }

  @Test
  void twoDashesEndTheOptions() throws UsageException {
    assertEquals(List.of("-c", "--", "-"), parse("--", "-c", "--", "-").operands());
  }

  @Test
  void lonelyDashIsAnOperand() throws UsageException {
    assertEquals(List.of("-"), parse("-").operands());
  }

  @Test
  void whatIsWrongIsSaid() {
    assertEquals("unknown option '-x'", refusal("-cx"));
    assertEquals("unknown option '--form'", refusal("--form"));
    assertEquals("-f needs a value", refusal("-cf"));
    assertEquals("--format needs a value", refusal("--format"));
    assertEquals("--reserve takes no value", refusal("--reserve=1"));
  }
}

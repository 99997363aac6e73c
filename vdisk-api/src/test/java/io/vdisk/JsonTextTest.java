package io.vdisk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTextTest {
  private static Map<String, Object> read(String text) throws JsonText.MalformedException {
    return JsonText.object(text.replace('\'', '"'));
  }

  @Test
  void everyKindOfValueIsRead() throws JsonText.MalformedException {
    assertEquals(Map.of(), read(" { } "));
    assertEquals(
        Map.of(
            "a",
            "b\"\\/\b\f\n\r\t\u00e9\ud83d\ude00",
            "list",
            List.of(true, false, Optional.empty(), List.of(), Map.of("x", "")),
            "n",
            new JsonText.Numeral("-0.5e+10")),
        read(
            "{'a':'b\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\ud83d\\ude00',\n\t'list' : "
                + "[ true,false ,null, [ ],{'x':''} ], 'n': -0.5e+10}"));
  }

  @Test
  void numbersKeepTheirSpellingHoweverLong() throws JsonText.MalformedException {
    String digits = "9".repeat(100_000);

    assertEquals(Map.of("n", new JsonText.Numeral(digits)), read("{'n':" + digits + "}"));
    assertEquals(Map.of("n", new JsonText.Numeral("1e999999999")), read("{'n':1e999999999}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "1",
        "{",
        "}",
        "{'a'}",
        "{'a':}",
        "{'a':1,}",
        "{,}",
        "{'a':1 'b':2}",
        "{'a':1}{",
        "{'a':1} x",
        "{a:1}",
        "{'a':tru}",
        "{'a':True}",
        "{'a':nul}",
        "{'a':01}",
        "{'a':-}",
        "{'a':1.}",
        "{'a':.5}",
        "{'a':+1}",
        "{'a':1e}",
        "{'a':NaN}",
        "{'a':[1,]}",
        "{'a':[1}",
        "{'a':'x}",
        "{'a':'\\x'}",
        "{'a':'\\u12'}",
        "{'a':'\\u12g4'}",
        "{'a':'\\u\uff11\uff11\uff11\uff11'}",
        "{'a':'line\nbreak'}",
        "{'a':'\u0000'}",
        "{'a':1,'a':2}",
        "{'a':null,'a':null}",
        "{'a':{'b':1,'b':1}}",
        "{'\\u0061':1,'a':1}",
        "/**/{}",
        "\ufeff{}"
      })
  void whatIsNoJsonObjectIsRefused(String text) {
    assertThrows(JsonText.MalformedException.class, () -> read(text));
  }

  @Test
  void deepNestingIsRefusedBeforeTheStackEnds() {
    for (String opening : List.of("[", "{\"a\":")) {
      JsonText.MalformedException refusal =
          assertThrows(
              JsonText.MalformedException.class,
              () -> JsonText.object("{\"a\":" + opening.repeat(1_000_000)));
      assertTrue(refusal.getMessage().startsWith("nested deeper than 32 at character "));
    }
  }

  @Test
  void complaintNamesThePlace() {
    assertEquals(
        "'a' comes twice at character 8",
        assertThrows(JsonText.MalformedException.class, () -> read("{'a':1,'a':2}")).getMessage());
  }
}

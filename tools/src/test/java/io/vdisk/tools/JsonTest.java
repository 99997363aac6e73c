package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
  @Test
  void everyKindOfValueIsWritten() {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("number", 1L << 40);
    value.put("truth", true);
    value.put("list", List.of("a", 2));
    value.put("empty", Map.of());
    value.put("none", List.of());

    assertEquals(
        """
        {
            "number": 1099511627776,
            "truth": true,
            "list": [
                "a",
                2
            ],
            "empty": {},
            "none": []
        }""",
        Json.of(value));
  }

  @Test
  void namesOfFilesCannotBreakOut() {
    assertEquals("\"a\\\"b\\\\c\\nd\\u001b\\u007fé\"", Json.of("a\"b\\c\nd\u001b\u007fé"));
  }
}

package io.vdisk.tools;

import java.util.List;
import java.util.Map;

/** Writes maps, lists, strings, numbers and booleans as JSON, indented by four as qemu-img does. */
final class Json {
  private static final String STEP = "    ";

  private final StringBuilder text = new StringBuilder();

  private Json() {}

  static String of(Object value) {
    Json json = new Json();
    json.put(value, "");
    return json.text.toString();
  }

  private void put(Object value, String indent) {
    if (value instanceof Map<?, ?> map) {
      String separator = "{";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        text.append(separator).append('\n').append(indent).append(STEP);
        string(String.valueOf(entry.getKey()));
        text.append(": ");
        put(entry.getValue(), indent + STEP);
        separator = ",";
      }
      close(map.isEmpty(), "{", "}", indent);
    } else if (value instanceof List<?> list) {
      String separator = "[";
      for (Object element : list) {
        text.append(separator).append('\n').append(indent).append(STEP);
        put(element, indent + STEP);
        separator = ",";
      }
      close(list.isEmpty(), "[", "]", indent);
    } else if (value instanceof Number || value instanceof Boolean) {
      text.append(value);
    } else {
      string(String.valueOf(value));
    }
  }

  private void close(boolean empty, String open, String close, String indent) {
    if (empty) {
      text.append(open);
    } else {
      text.append('\n').append(indent);
    }
    text.append(close);
  }

  private void string(String value) {
    text.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        text.append('\\').append(c);
      } else if (c == '\n') {
        text.append("\\n");
      } else if (c < ' ' || c == 0x7f) {
        text.append("\\u00").append(Character.forDigit(c >> 4, 16));
        text.append(Character.forDigit(c & 15, 16));
      } else {
        text.append(c);
      }
    }
    text.append('"');
  }
}

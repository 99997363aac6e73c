package io.vdisk;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the JSON of a reference (RFC 8259), strictly: a name comes once in an object, and nothing
 * follows the value. What it gives: a {@code Map} for an object, a {@code List} for an array,
 * {@code String}, {@code Boolean}, a {@link Numeral} that keeps its spelling, an empty {@code
 * Optional} for null. Time and memory are bounded by the length of the text. One thread.
 */
final class JsonText {
  /** Objects and arrays within each other: ours; QEMU allows 1024. */
  private static final int MOST_DEPTH = 32;

  private final String text;
  private int at;

  private JsonText(String text) {
    this.text = text;
  }

  /** The text is no JSON. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1;

    MalformedException(String what, int at) {
      super(what + " at character " + (at + 1));
    }
  }

  /** A number as it is spelled; of whatever size. */
  record Numeral(String spelling) {}

  /** Reads a text that is one object. */
  static Map<String, Object> object(String text) throws MalformedException {
    JsonText json = new JsonText(text);
    json.skipBlanks();
    if (json.peek() != '{') {
      throw json.malformed("no object");
    }
    Map<String, Object> object = json.object(1);
    json.skipBlanks();
    if (json.at < text.length()) {
      throw json.malformed("something follows the object");
    }
    return object;
  }

  private MalformedException malformed(String what) {
    return new MalformedException(what, at);
  }

  /** The character that comes next; 0 at the end, which JSON nowhere allows. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  private void skipBlanks() {
    while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private void expect(char wanted) throws MalformedException {
    if (peek() != wanted) {
      throw malformed("'" + wanted + "' is missing");
    }
    at++;
  }

  private Object value(int depth) throws MalformedException {
    if (depth > MOST_DEPTH) {
      throw malformed("nested deeper than " + MOST_DEPTH);
    }
    return switch (peek()) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      case 't' -> word("true", true);
      case 'f' -> word("false", false);
      case 'n' -> word("null", Optional.empty());
      default -> number();
    };
  }

  private Map<String, Object> object(int depth) throws MalformedException {
    Map<String, Object> members = new LinkedHashMap<>();
    expect('{');
    skipBlanks();
    if (peek() == '}') {
      at++;
      return members;
    }
    while (true) {
      skipBlanks();
      int start = at;
      String name = string();
      skipBlanks();
      expect(':');
      skipBlanks();
      Object value = value(depth + 1);
      if (members.putIfAbsent(name, value) != null) {
        at = start;
        throw malformed("'" + name + "' comes twice");
      }
      skipBlanks();
      if (peek() == '}') {
        at++;
        return members;
      }
      expect(',');
    }
  }

  private List<Object> array(int depth) throws MalformedException {
    List<Object> elements = new ArrayList<>();
    expect('[');
    skipBlanks();
    if (peek() == ']') {
      at++;
      return elements;
    }
    while (true) {
      skipBlanks();
      elements.add(value(depth + 1));
      skipBlanks();
      if (peek() == ']') {
        at++;
        return elements;
      }
      expect(',');
    }
  }

  private Object word(String word, Object value) throws MalformedException {
    if (!text.startsWith(word, at)) {
      throw malformed("no value");
    }
    at += word.length();
    return value;
  }

  private Numeral number() throws MalformedException {
    int start = at;
    if (peek() == '-') {
      at++;
    }
    int first = at;
    digits();
    if (text.charAt(first) == '0' && at > first + 1) {
      at = first;
      throw malformed("a number begins with 0");
    }
    if (peek() == '.') {
      at++;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      at++;
      if (peek() == '+' || peek() == '-') {
        at++;
      }
      digits();
    }
    return new Numeral(text.substring(start, at));
  }

  private void digits() throws MalformedException {
    int start = at;
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (at == start) {
      throw malformed("no value");
    }
  }

  private String string() throws MalformedException {
    expect('"');
    StringBuilder string = new StringBuilder();
    while (peek() != '"') {
      char c = peek();
      if (c < ' ') {
        throw malformed(at < text.length() ? "a control character" : "the text ends in a string");
      }
      at++;
      string.append(c == '\\' ? escaped() : c);
    }
    at++;
    return string.toString();
  }

  private char escaped() throws MalformedException {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> unicode();
      default -> {
        at--;
        throw malformed("no such escape");
      }
    };
  }

  private char unicode() throws MalformedException {
    int code = 0;
    for (int i = 0; i < 4; i++) {
      char c = peek();
      int digit = c < 128 ? Character.digit(c, 16) : -1;
      if (digit < 0) {
        throw malformed("no hexadecimal digit");
      }
      code = code << 4 | digit;
      at++;
    }
    return (char) code;
  }
}

package org.mezzo.protocol.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** JSON as a tree in which a number is its text, so that 4 and 4.0 differ. */
final class Trees {
  /** The text of a number. */
  record Number(String text) {
    /**
     * The same number in the same form. Two texts of 17 digits may name the same double; the longer
     * one is no mistake of whoever recorded it.
     */
    boolean isBestFormOf(Number other) {
      boolean sameForm =
          text.contains(".") == other.text.contains(".")
              && text.contains("e") == other.text.contains("e");
      return text.equals(other.text)
          || (sameForm
              && text.contains(".")
              && text.length() <= other.text.length()
              && Double.parseDouble(text) == Double.parseDouble(other.text));
    }
  }

  private static final JsonFactory FACTORY = new JsonFactory();

  private Trees() {}

  static Object parse(String json) throws IOException {
    try (JsonParser parser = FACTORY.createParser(json)) {
      parser.nextToken();
      Object tree = value(parser);
      if (parser.nextToken() != null) {
        throw new IOException("more than one value");
      }
      return tree;
    }
  }

  private static Object value(JsonParser parser) throws IOException {
    switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, Object> object = new TreeMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          if (object.put(name, value(parser)) != null) {
            throw new IOException("twice: " + name);
          }
        }
        return object;
      }
      case START_ARRAY -> {
        List<Object> array = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          array.add(value(parser));
        }
        return array;
      }
      case VALUE_STRING -> {
        return parser.getText();
      }
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
        return new Number(parser.getText());
      }
      case VALUE_TRUE -> {
        return true;
      }
      case VALUE_FALSE -> {
        return false;
      }
      default -> {
        return "null";
      }
    }
  }

  /** Where two trees differ, one line per place. */
  static List<String> differences(Object expected, Object actual) {
    List<String> found = new ArrayList<>();
    compare("", expected, actual, found);
    return found;
  }

  private static void compare(String path, Object expected, Object actual, List<String> found) {
    if (expected instanceof Map<?, ?> a && actual instanceof Map<?, ?> b) {
      Set<Object> names = new TreeSet<>(a.keySet());
      names.addAll(b.keySet());
      names.forEach(name -> compare(path + "." + name, a.get(name), b.get(name), found));
    } else if (expected instanceof List<?> a
        && actual instanceof List<?> b
        && a.size() == b.size()) {
      for (int i = 0; i < a.size(); i++) {
        compare(path, a.get(i), b.get(i), found);
      }
    } else if (!(expected instanceof Number a && actual instanceof Number b && b.isBestFormOf(a))
        && !Objects.equals(expected, actual)) {
      found.add(path + ": expected " + expected + " but was " + actual);
    }
  }
}

package org.mezzo.daemon.configuration;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The value of {@code --modules}: the JSON of Mesos, of which {@code name} says which module is
 * meant and {@code parameters} configure it. What names a library is ignored with a warning:
 * modules are bundles here. Immutable.
 */
public final class ModuleParameters {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleParameters.class);
  private static final String EXPECTED =
      "--modules expects {\"libraries\": [{\"modules\": [{\"name\": \"NAME\", \"parameters\":"
          + " [{\"key\": \"KEY\", \"value\": \"VALUE\"}]}]}]}";

  /** No parameters for any module. */
  public static final ModuleParameters NONE = new ModuleParameters(Map.of());

  private final Map<String, Map<String, String>> byName;

  private ModuleParameters(Map<String, Map<String, String>> byName) {
    this.byName = byName;
  }

  /**
   * What the flag's text says.
   *
   * @throws IllegalArgumentException for a text that is not such a value
   */
  public static ModuleParameters of(String json) {
    Map<String, Map<String, String>> byName = new LinkedHashMap<>();
    try (JsonParser parser = new JsonFactory().createParser(json)) {
      expect(parser.nextToken() == JsonToken.START_OBJECT);
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        if (begins(parser, "libraries", JsonToken.START_ARRAY)) {
          while (parser.nextToken() == JsonToken.START_OBJECT) {
            library(parser, byName);
          }
        }
      }
      expect(parser.nextToken() == null);
    } catch (IOException e) {
      throw new IllegalArgumentException(EXPECTED + ": " + e.getMessage(), e);
    }
    return new ModuleParameters(byName);
  }

  /**
   * Whether the field that the parser stands at has this name and begins so; else it is skipped.
   */
  private static boolean begins(JsonParser parser, String name, JsonToken token)
      throws IOException {
    boolean wanted = parser.currentName().equals(name);
    JsonToken value = parser.nextToken();
    if (!wanted) {
      parser.skipChildren();
      return false;
    }
    expect(value == token);
    return true;
  }

  private static void library(JsonParser parser, Map<String, Map<String, String>> byName)
      throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      if (name.equals("modules")) {
        expect(parser.nextToken() == JsonToken.START_ARRAY);
        while (parser.nextToken() == JsonToken.START_OBJECT) {
          module(parser, byName);
        }
      } else {
        parser.nextToken();
        if (name.equals("file") || name.equals("name")) {
          LOG.warn(
              "--modules names the library '{}', which is ignored: put a bundle with its modules"
                  + " into the modules folder",
              parser.getText());
        }
        parser.skipChildren();
      }
    }
  }

  private static void module(JsonParser parser, Map<String, Map<String, String>> byName)
      throws IOException {
    String name = null;
    Map<String, String> parameters = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      switch (parser.currentName()) {
        case "name" -> {
          expect(parser.nextToken() == JsonToken.VALUE_STRING);
          name = parser.getText();
        }
        case "parameters" -> {
          expect(parser.nextToken() == JsonToken.START_ARRAY);
          while (parser.nextToken() == JsonToken.START_OBJECT) {
            parameter(parser, parameters);
          }
        }
        default -> {
          parser.nextToken();
          parser.skipChildren();
        }
      }
    }
    expect(name != null);
    byName.put(name, Map.copyOf(parameters));
  }

  private static void parameter(JsonParser parser, Map<String, String> parameters)
      throws IOException {
    String key = null;
    String value = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String field = parser.currentName();
      JsonToken token = parser.nextToken();
      expect(token.isScalarValue());
      if (field.equals("key")) {
        key = parser.getText();
      } else if (field.equals("value")) {
        value = parser.getText();
      }
    }
    expect(key != null && value != null);
    parameters.put(key, value);
  }

  private static void expect(boolean fits) {
    if (!fits) {
      throw new IllegalArgumentException(EXPECTED);
    }
  }

  /** The parameters of the module of that name, empty when there are none. */
  public Map<String, String> forModule(String name) {
    return byName.getOrDefault(name, Map.of());
  }
}

package org.mezzo.daemon.border;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The value of {@code --firewall_rules}: {@code {"disabled_endpoints": {"paths": [...]}}}. */
public final class FirewallRules {
  private static final String EXPECTED =
      "--firewall_rules expects {\"disabled_endpoints\": {\"paths\": [\"/files/browse\", ...]}}";

  private FirewallRules() {}

  /**
   * The disabled paths, for {@link Router#disable}.
   *
   * @throws IllegalArgumentException for a text that is not such a value
   */
  public static List<String> disabledPaths(String json) {
    List<String> paths = new ArrayList<>();
    try (JsonParser parser = new JsonFactory().createParser(json)) {
      expect(parser.nextToken() == JsonToken.START_OBJECT);
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        expect(parser.currentName().equals("disabled_endpoints"));
        expect(parser.nextToken() == JsonToken.START_OBJECT);
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          expect(parser.currentName().equals("paths"));
          expect(parser.nextToken() == JsonToken.START_ARRAY);
          while (parser.nextToken() == JsonToken.VALUE_STRING) {
            paths.add(parser.getText());
          }
          expect(parser.currentToken() == JsonToken.END_ARRAY);
        }
      }
      expect(parser.nextToken() == null);
    } catch (IOException e) {
      throw new IllegalArgumentException(EXPECTED + ": " + e.getMessage(), e);
    }
    return paths;
  }

  private static void expect(boolean fits) {
    if (!fits) {
      throw new IllegalArgumentException(EXPECTED);
    }
  }
}

package org.mezzo.acls;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads access control lists as the JSON of protobuf messages is read: null is absent, an object
 * stands for a list of one, and fields that are not known are ignored, of which a warning tells. A
 * field that is there twice, and a type that is none, are refused, since somebody meant something
 * by them. For one text.
 */
final class AclsParser {
  /** Endpoints about which is asked, as ACLs name them: those of Mesos, then Mezzo's own. */
  static final Set<String> PATHS =
      Set.of(
          "/containers",
          "/containerizer/debug",
          "/files/debug",
          "/logging/toggle",
          "/metrics/snapshot",
          "/monitor/statistics",
          "/mezzo/deployments",
          "/mezzo/modules");

  private static final JsonFactory FACTORY =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final JsonParser in;
  private final Map<AclRule, List<AclEntry>> entries = new EnumMap<>(AclRule.class);
  private final List<String> warnings = new ArrayList<>();
  private boolean permissive = true;

  private AclsParser(JsonParser in) {
    this.in = in;
  }

  static Acls parse(String json) throws AclsException {
    try (JsonParser in = FACTORY.createParser(json)) {
      AclsParser parser = new AclsParser(in);
      parser.read();
      return new Acls(parser.permissive, parser.entries, parser.warnings);
    } catch (JsonProcessingException e) {
      throw new AclsException(
          "the text is no JSON (line "
              + (e.getLocation() == null ? 1 : e.getLocation().getLineNr())
              + "): "
              + e.getOriginalMessage(),
          e);
    } catch (IOException e) {
      throw new AclsException("the text cannot be read: " + e.getMessage(), e);
    }
  }

  private void read() throws IOException, AclsException {
    if (in.nextToken() != JsonToken.START_OBJECT) {
      throw bad("ACLs", "must be an object like {\"run_tasks\": [...]}");
    }
    for (String name = in.nextFieldName(); name != null; name = in.nextFieldName()) {
      JsonToken token = in.nextToken();
      if (token == JsonToken.VALUE_NULL) {
        continue;
      }
      Optional<AclRule> rule = AclRule.ofField(name);
      if (name.equals("permissive")) {
        if (!token.isBoolean()) {
          throw bad(name, "must be true or false");
        }
        permissive = in.getBooleanValue();
      } else if (rule.isPresent()) {
        rule(rule.get(), token);
      } else {
        unknown(name);
      }
    }
    if (in.nextToken() != null) {
      throw bad("ACLs", "end here, and something stands behind them");
    }
  }

  private void rule(AclRule rule, JsonToken token) throws IOException, AclsException {
    if (token != JsonToken.START_ARRAY) {
      entry(rule, token);
      return;
    }
    for (JsonToken next = in.nextToken(); next != JsonToken.END_ARRAY; next = in.nextToken()) {
      if (next != JsonToken.VALUE_NULL) {
        entry(rule, next);
      }
    }
  }

  private void entry(AclRule rule, JsonToken token) throws IOException, AclsException {
    List<AclEntry> list = entries.computeIfAbsent(rule, unused -> new ArrayList<>());
    String place = rule.field() + "[" + list.size() + "]";
    String form = "must be an object with the fields principals and " + rule.objectField();
    if (token != JsonToken.START_OBJECT) {
      throw bad(place, form);
    }
    int line = line();
    Entity principals = null;
    Entity objects = null;
    for (String name = in.nextFieldName(); name != null; name = in.nextFieldName()) {
      JsonToken value = in.nextToken();
      if (value == JsonToken.VALUE_NULL) {
        continue;
      }
      if (name.equals("principals")) {
        principals = entity(place + "." + name, value, false);
      } else if (name.equals(rule.objectField())) {
        objects = entity(place + "." + name, value, rule.objects() == AclRule.Objects.ROLES);
        check(rule, place + "." + name, objects);
      } else {
        unknown(place + "." + name);
      }
    }
    if (principals == null || objects == null) {
      throw bad(
          place + "." + (principals == null ? "principals" : rule.objectField()),
          "is missing: " + place + " " + form);
    }
    list.add(new AclEntry(rule, list.size(), line, principals, objects));
  }

  private Entity entity(String place, JsonToken token, boolean roles)
      throws IOException, AclsException {
    if (token != JsonToken.START_OBJECT) {
      throw bad(place, "must be {\"values\": [...]}, {\"type\": \"ANY\"} or {\"type\": \"NONE\"}");
    }
    int line = line();
    Entity.Type type = Entity.Type.SOME;
    List<String> values = new ArrayList<>();
    for (String name = in.nextFieldName(); name != null; name = in.nextFieldName()) {
      JsonToken value = in.nextToken();
      if (value == JsonToken.VALUE_NULL) {
        continue;
      }
      switch (name) {
        case "type" -> type = type(place + ".type", value);
        case "values" -> values(place + ".values", value, values);
        default -> unknown(place + "." + name);
      }
    }
    if (type == Entity.Type.SOME && values.isEmpty()) {
      warn(
          place,
          line,
          "names nothing, so that its entry is about nothing: give it values or a type");
    }
    if (type != Entity.Type.SOME && !values.isEmpty()) {
      warn(place, line, "has values, which its type " + type + " makes meaningless");
    }
    return Entity.of(type, values, roles);
  }

  private Entity.Type type(String place, JsonToken token) throws IOException, AclsException {
    if (token == JsonToken.VALUE_STRING) {
      for (Entity.Type type : Entity.Type.values()) {
        if (type.name().equals(in.getText())) {
          return type;
        }
      }
    }
    throw bad(place, "must be one of \"SOME\", \"ANY\" and \"NONE\"");
  }

  private void values(String place, JsonToken token, List<String> values)
      throws IOException, AclsException {
    if (token != JsonToken.START_ARRAY) {
      value(place, token, values);
      return;
    }
    for (JsonToken next = in.nextToken(); next != JsonToken.END_ARRAY; next = in.nextToken()) {
      if (next != JsonToken.VALUE_NULL) {
        value(place + "[" + values.size() + "]", next, values);
      }
    }
  }

  private void value(String place, JsonToken token, List<String> values)
      throws IOException, AclsException {
    if (token != JsonToken.VALUE_STRING) {
      throw bad(place, "must be a text in quotes");
    }
    values.add(in.getText());
  }

  private void check(AclRule rule, String place, Entity objects) throws AclsException {
    if (objects.type() != Entity.Type.SOME) {
      return;
    }
    switch (rule.objects()) {
      case ANYTHING -> throw bad(place + ".type", "must be either \"NONE\" or \"ANY\"");
      case PATHS -> {
        for (String path : objects.values()) {
          if (!PATHS.contains(path)) {
            throw bad(
                place + ".values",
                "has '"
                    + path
                    + "', which is not an authorizable path: these are "
                    + String.join(", ", PATHS.stream().sorted().toList()));
          }
        }
      }
      case IMPLICIT -> {
        if (!objects.values().isEmpty()) {
          warn(
              place,
              line(),
              "names something, and nobody asks about one of several: give it the type ANY or"
                  + " NONE");
        }
      }
      case NAMES, ROLES -> {}
    }
  }

  private void unknown(String place) throws IOException {
    warn(place, line(), "is no field of ACLs and is ignored; is it misspelled?");
    in.skipChildren();
  }

  private void warn(String place, int line, String what) {
    warnings.add(place + " (line " + line + ") " + what);
  }

  private AclsException bad(String place, String what) {
    return new AclsException(place + " (line " + line() + ") " + what);
  }

  private int line() {
    return in.currentTokenLocation().getLineNr();
  }
}

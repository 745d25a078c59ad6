package org.mezzo.daemon.configuration;

import java.io.InputStream;
import java.util.Map;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.MetaTypeProvider;
import org.osgi.service.metatype.ObjectClassDefinition;

/**
 * Describes the flags of one kind of daemon to tools that edit configurations. A daemon's bundle
 * publishes one with the property {@code metatype.factory.pid}.
 */
public class FlagMetatype implements MetaTypeProvider {
  private final String pid;
  private final String name;
  private final String description;
  private final FlagDefinitions definitions;

  /**
   * For the daemons of one factory PID.
   *
   * @param name what people call such a daemon
   */
  protected FlagMetatype(String pid, String name, String description, FlagDefinitions definitions) {
    this.pid = pid;
    this.name = name;
    this.description = description;
    this.definitions = definitions;
  }

  private record Flag(FlagDefinitions definitions, FlagDefinitions.Definition definition)
      implements AttributeDefinition {
    @Override
    public String getName() {
      return definition.name();
    }

    @Override
    public String getID() {
      return definition.name();
    }

    @Override
    public String getDescription() {
      return definition.purpose() + (definition.effective() ? "" : " (no effect yet)");
    }

    @Override
    public int getCardinality() {
      return 0;
    }

    @Override
    public int getType() {
      return definition.baseType().equals("bool") ? BOOLEAN : STRING;
    }

    @Override
    public String[] getOptionValues() {
      return null;
    }

    @Override
    public String[] getOptionLabels() {
      return null;
    }

    @Override
    public String validate(String value) {
      try {
        definitions.parse(Map.of(definition.name(), value));
        return "";
      } catch (FlagException e) {
        return e.getMessage();
      }
    }

    @Override
    public String[] getDefaultValue() {
      return definition.defaultValue().isEmpty() ? null : new String[] {definition.defaultValue()};
    }
  }

  private final class Flags implements ObjectClassDefinition {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public String getID() {
      return pid;
    }

    @Override
    public String getDescription() {
      return description;
    }

    @Override
    public AttributeDefinition[] getAttributeDefinitions(int filter) {
      return definitions.all().stream()
          .filter(flag -> filter == ALL || (filter == OPTIONAL) == flag.optional())
          .map(flag -> new Flag(definitions, flag))
          .toArray(AttributeDefinition[]::new);
    }

    @Override
    public InputStream getIcon(int size) {
      return null;
    }
  }

  @Override
  public ObjectClassDefinition getObjectClassDefinition(String id, String locale) {
    if (!pid.equals(id)) {
      throw new IllegalArgumentException("Only " + pid + " is described here");
    }
    return new Flags();
  }

  @Override
  public String[] getLocales() {
    return null;
  }
}

package org.mezzo.master;

import java.io.InputStream;
import java.util.List;
import org.mezzo.flags.FlagDefinitions;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.MetaTypeProvider;
import org.osgi.service.metatype.ObjectClassDefinition;

/** Describes the master's flags to tools that edit configurations. */
@Component(
    service = MetaTypeProvider.class,
    property = "metatype.factory.pid=" + MasterDaemon.PID)
public final class MasterMetatype implements MetaTypeProvider {

  private record Flag(FlagDefinitions.Definition definition) implements AttributeDefinition {
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
        MasterDaemon.definitions().parse(java.util.Map.of(definition.name(), value));
        return "";
      } catch (org.mezzo.flags.FlagException e) {
        return e.getMessage();
      }
    }

    @Override
    public String[] getDefaultValue() {
      return definition.defaultValue().isEmpty()
          ? null
          : new String[] {definition.defaultValue()};
    }
  }

  private record Flags(List<Flag> flags) implements ObjectClassDefinition {
    @Override
    public String getName() {
      return "Mezzo master";
    }

    @Override
    public String getID() {
      return MasterDaemon.PID;
    }

    @Override
    public String getDescription() {
      return "A master of this process; properties are its flags";
    }

    @Override
    public AttributeDefinition[] getAttributeDefinitions(int filter) {
      return flags.stream()
          .filter(
              flag ->
                  filter == ALL || (filter == OPTIONAL) == flag.definition().optional())
          .toArray(AttributeDefinition[]::new);
    }

    @Override
    public InputStream getIcon(int size) {
      return null;
    }
  }

  @Override
  public ObjectClassDefinition getObjectClassDefinition(String id, String locale) {
    if (!MasterDaemon.PID.equals(id)) {
      throw new IllegalArgumentException("Only " + MasterDaemon.PID + " is described here");
    }
    return new Flags(MasterDaemon.definitions().all().stream().map(Flag::new).toList());
  }

  @Override
  public String[] getLocales() {
    return null;
  }
}

package org.mezzo.modules.leases;

import java.io.IOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.felix.metatype.AD;
import org.apache.felix.metatype.Designate;
import org.apache.felix.metatype.MetaData;
import org.apache.felix.metatype.MetaDataReader;
import org.apache.felix.metatype.OCD;
import org.mezzo.modules.ParameterDescription;
import org.mezzo.modules.ParameterDescription.Type;
import org.mezzo.modules.ParameterDescriptions;
import org.osgi.framework.Bundle;
import org.osgi.service.metatype.AttributeDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What bundles say of the parameters of their modules, by OSGi Metatype: the definition that a
 * component is designated to. Felix's reader is used and not its service, since that tells no
 * bounds.
 */
final class Metatype {
  private static final Logger LOG = LoggerFactory.getLogger(Metatype.class);
  private static final String FOLDER = "OSGI-INF/metatype";

  private Metatype() {}

  /**
   * Reads what a bundle says of a component.
   *
   * @param pid the component's name, as it is designated by default
   * @return empty when it says nothing, or nothing that can be read, which is logged
   */
  static Optional<ParameterDescriptions> read(Bundle bundle, String pid) {
    Enumeration<URL> files;
    try {
      files = bundle.findEntries(FOLDER, "*.xml", false);
    } catch (IllegalStateException e) {
      // It was uninstalled meanwhile.
      return Optional.empty();
    }
    for (URL file : files == null ? List.<URL>of() : Collections.list(files)) {
      try {
        Optional<ParameterDescriptions> found = find(new MetaDataReader().parse(file), pid);
        if (found.isPresent()) {
          return found;
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn(
            "{} of {} describes no parameters that can be read; they are not checked: {}",
            file.getPath(),
            bundle.getSymbolicName(),
            e.toString());
      }
    }
    return Optional.empty();
  }

  private static Optional<ParameterDescriptions> find(MetaData data, String pid) {
    if (data == null || data.getDesignates() == null || data.getObjectClassDefinitions() == null) {
      return Optional.empty();
    }
    for (Object each : data.getDesignates()) {
      Designate designate = (Designate) each;
      if (pid.equals(designate.getPid())) {
        Object definition = data.getObjectClassDefinitions().get(designate.getObject().getOcdRef());
        return Optional.ofNullable((OCD) definition).map(Metatype::descriptions);
      }
    }
    return Optional.empty();
  }

  private static ParameterDescriptions descriptions(OCD definition) {
    List<ParameterDescription> parameters = new ArrayList<>();
    if (definition.getAttributeDefinitions() != null) {
      for (Object each : definition.getAttributeDefinitions().values()) {
        parameters.add(description((AD) each));
      }
    }
    return new ParameterDescriptions(text(definition.getDescription()), parameters);
  }

  private static ParameterDescription description(AD attribute) {
    Type type =
        switch (attribute.getType()) {
          case AttributeDefinition.LONG,
              AttributeDefinition.INTEGER,
              AttributeDefinition.SHORT,
              AttributeDefinition.BYTE ->
              Type.INTEGER;
          case AttributeDefinition.DOUBLE, AttributeDefinition.FLOAT -> Type.NUMBER;
          case AttributeDefinition.BOOLEAN -> Type.BOOLEAN;
          case AttributeDefinition.CHARACTER -> Type.CHARACTER;
          case AttributeDefinition.PASSWORD -> Type.PASSWORD;
          default -> Type.TEXT;
        };
    String[] value = attribute.getDefaultValue();
    String[] options = attribute.getOptionValues();
    return new ParameterDescription(
        attribute.getID(),
        text(attribute.getDescription()),
        type,
        attribute.getCardinality() != 0,
        attribute.isRequired(),
        value == null ? "" : String.join(",", value),
        bound(attribute.getMin()),
        bound(attribute.getMax()),
        options == null ? List.of() : Arrays.asList(options));
  }

  /** A bound that is no number says nothing. */
  private static Optional<String> bound(String text) {
    return Optional.ofNullable(text).filter(it -> it.matches("[+-]?\\d+(\\.\\d+)?"));
  }

  private static String text(String text) {
    return Objects.toString(text, "");
  }
}

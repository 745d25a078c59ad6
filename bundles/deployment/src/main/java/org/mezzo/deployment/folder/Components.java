package org.mezzo.deployment.folder;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** Reads the descriptions of components (Declarative Services) of a jar. */
final class Components {
  private static final String KIND = "mezzo.module.kind";
  private static final String NAME = "mezzo.module.name";

  private Components() {}

  /**
   * The components that announce themselves as modules.
   *
   * @param header the manifest's {@code Service-Component}; may be null
   * @throws IOException with a message for operators when a description is missing or is no XML
   */
  static List<DeclaredModule> modules(JarFile jar, String header) throws IOException {
    List<DeclaredModule> modules = new ArrayList<>();
    if (header == null) {
      return modules;
    }
    for (String path : Headers.names(header)) {
      for (JarEntry entry : entries(jar, path)) {
        try (InputStream in = jar.getInputStream(entry)) {
          read(in, modules);
        } catch (XMLStreamException e) {
          throw new IOException(
              "its component description " + entry.getName() + " is no XML: " + e.getMessage(), e);
        }
      }
    }
    return modules;
  }

  /** The entries that one path of the header means; its last part may have asterisks. */
  private static List<JarEntry> entries(JarFile jar, String path) throws IOException {
    if (!path.contains("*")) {
      JarEntry entry = jar.getJarEntry(path);
      if (entry == null) {
        throw new IOException(
            "its manifest names the component description " + path + ", which it does not hold");
      }
      return List.of(entry);
    }
    StringBuilder pattern = new StringBuilder();
    for (String literal : path.split("\\*", -1)) {
      pattern.append(pattern.isEmpty() ? "" : "[^/]*").append(Pattern.quote(literal));
    }
    Pattern wanted = Pattern.compile(pattern.toString());
    return jar.stream().filter(entry -> wanted.matcher(entry.getName()).matches()).toList();
  }

  private static void read(InputStream in, List<DeclaredModule> modules) throws XMLStreamException {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    XMLStreamReader xml = factory.createXMLStreamReader(in);
    String component = "";
    String scope = "";
    Map<String, String> properties = new HashMap<>();
    Set<String> interfaces = new HashSet<>();
    while (xml.hasNext()) {
      int event = xml.next();
      if (event == XMLStreamConstants.START_ELEMENT) {
        switch (xml.getLocalName()) {
          case "component" -> {
            component = text(xml, "name");
            scope = "singleton";
            properties.clear();
            interfaces.clear();
          }
          case "service" -> {
            String declared = text(xml, "scope");
            scope = declared.isEmpty() ? scope : declared;
          }
          case "provide" -> interfaces.add(text(xml, "interface"));
          case "property" -> properties.put(text(xml, "name"), text(xml, "value"));
          default -> {}
        }
      } else if (event == XMLStreamConstants.END_ELEMENT
          && xml.getLocalName().equals("component")) {
        if (properties.containsKey(KIND) || properties.containsKey(NAME)) {
          modules.add(
              new DeclaredModule(
                  component,
                  properties.getOrDefault(KIND, ""),
                  properties.getOrDefault(NAME, ""),
                  interfaces,
                  scope));
        }
      }
    }
  }

  private static String text(XMLStreamReader xml, String attribute) {
    String value = xml.getAttributeValue(null, attribute);
    return value == null ? "" : value;
  }
}

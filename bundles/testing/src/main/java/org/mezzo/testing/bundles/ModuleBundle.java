package org.mezzo.testing.bundles;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** Builds module bundles on the fly, and variants of built ones. */
public final class ModuleBundle {
  private final Map<String, String> headers = new LinkedHashMap<>();
  private final Map<String, byte[]> entries = new LinkedHashMap<>();
  private final List<String> components = new ArrayList<>();

  private ModuleBundle(String symbolicName, String version) {
    headers.put("Bundle-ManifestVersion", "2");
    headers.put("Bundle-SymbolicName", symbolicName);
    headers.put("Bundle-Version", version);
  }

  /** An empty bundle. */
  public static ModuleBundle of(String symbolicName, String version) {
    return new ModuleBundle(symbolicName, version);
  }

  /** Sets a header of the manifest. */
  public ModuleBundle header(String name, String value) {
    headers.put(name, value);
    return this;
  }

  /** Adds a class of the test's class path. */
  public ModuleBundle with(Class<?> type) throws IOException {
    String name = type.getName().replace('.', '/') + ".class";
    try (InputStream in = type.getClassLoader().getResourceAsStream(name)) {
      entries.put(name, in.readAllBytes());
    }
    return this;
  }

  /** Adds a text. */
  public ModuleBundle with(String name, String text) {
    entries.put(name, text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** Adds a module: its class, and its component with prototype scope. */
  public ModuleBundle module(Class<?> type, Class<?> spi, String kind, String name)
      throws IOException {
    return module(type, spi, kind, name, "");
  }

  /**
   * Adds a module whose component has more elements.
   *
   * @param elements XML, for example a reference
   */
  public ModuleBundle module(Class<?> type, Class<?> spi, String kind, String name, String elements)
      throws IOException {
    with(type);
    String file = "OSGI-INF/" + type.getSimpleName() + components.size() + ".xml";
    components.add(file);
    return with(
        file,
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <scr:component xmlns:scr="http://www.osgi.org/xmlns/scr/v1.3.0" name="%s">
          <property name="mezzo.module.kind" value="%s"/>
          <property name="mezzo.module.name" value="%s"/>
          <service scope="prototype"><provide interface="%s"/></service>
          %s
          <implementation class="%s"/>
        </scr:component>
        """
            .formatted(
                type.getName() + "." + name, kind, name, spi.getName(), elements, type.getName()));
  }

  /** Writes the jar. */
  public Path build(Path target) throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    headers.forEach(attributes::putValue);
    if (!components.isEmpty()) {
      attributes.putValue("Service-Component", String.join(",", components));
      attributes.putValue(
          "Require-Capability",
          "osgi.extender;filter:=\"(&(osgi.extender=osgi.component)(version>=1.3.0)"
              + "(!(version>=2.0.0)))\"");
    }
    try (OutputStream out = Files.newOutputStream(target);
        JarOutputStream jar = new JarOutputStream(out, manifest)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        jar.putNextEntry(new JarEntry(entry.getKey()));
        jar.write(entry.getValue());
        jar.closeEntry();
      }
    }
    return target;
  }

  /** Copies a bundle under another version, everything else unchanged. */
  public static Path withVersion(Path bundle, String version, Path target) throws IOException {
    try (JarFile source = new JarFile(bundle.toFile())) {
      Manifest manifest = new Manifest(source.getManifest());
      manifest.getMainAttributes().putValue("Bundle-Version", version);
      try (OutputStream out = Files.newOutputStream(target);
          JarOutputStream jar = new JarOutputStream(out, manifest)) {
        for (JarEntry entry : Collections.list(source.entries())) {
          if (entry.getName().equals(JarFile.MANIFEST_NAME)) {
            continue;
          }
          jar.putNextEntry(new JarEntry(entry.getName()));
          if (!entry.isDirectory()) {
            try (InputStream in = source.getInputStream(entry)) {
              in.transferTo(jar);
            }
          }
          jar.closeEntry();
        }
      }
    }
    return target;
  }
}

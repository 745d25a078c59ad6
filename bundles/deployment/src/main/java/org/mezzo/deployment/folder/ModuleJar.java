package org.mezzo.deployment.folder;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.zip.ZipException;
import org.mezzo.deployment.journal.BundleStore;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/**
 * A complete jar that is a bundle.
 *
 * @param arrivedMillis when it came to its place, as far as the file system tells: it tells one
 *     arrival from another and says nothing of their order
 * @param digest of its content, in hexadecimal
 * @param exports packages that it gives to others
 * @param needs packages and bundles that it takes from others
 * @param modules that its components announce
 */
public record ModuleJar(
    Path path,
    String symbolicName,
    Version version,
    long arrivedMillis,
    String digest,
    Set<String> exports,
    Set<String> needs,
    List<DeclaredModule> modules) {

  /** What OSGi allows: names become parts of paths. */
  private static final Pattern NAME = Pattern.compile("[\\w-][\\w.-]*");

  public ModuleJar {
    exports = Set.copyOf(exports);
    needs = Set.copyOf(needs);
    modules = List.copyOf(modules);
  }

  /**
   * Reads what a jar is.
   *
   * @throws IOException with a message for operators when it is no readable jar or no bundle that
   *     can be deployed
   */
  public static ModuleJar read(Path path, long arrivedMillis) throws IOException {
    try (JarFile jar = new JarFile(path.toFile(), false)) {
      Manifest manifest = jar.getManifest();
      if (manifest == null) {
        throw new IOException("it has no META-INF/MANIFEST.MF and so is no bundle");
      }
      Attributes headers = manifest.getMainAttributes();
      String symbolicName = headers.getValue(Constants.BUNDLE_SYMBOLICNAME);
      if (symbolicName == null) {
        throw new IOException(
            "its manifest has no Bundle-SymbolicName, so it is no bundle; build it with bnd");
      }
      if (headers.getValue(Constants.FRAGMENT_HOST) != null) {
        throw new IOException("it is a fragment, which cannot be deployed by itself");
      }
      Set<String> needs = new HashSet<>(names(headers.getValue(Constants.IMPORT_PACKAGE)));
      needs.addAll(names(headers.getValue(Constants.REQUIRE_BUNDLE)));
      return new ModuleJar(
          path,
          name(symbolicName),
          version(headers.getValue(Constants.BUNDLE_VERSION)),
          arrivedMillis,
          BundleStore.digest(path),
          names(headers.getValue(Constants.EXPORT_PACKAGE)),
          needs,
          Components.modules(jar, headers.getValue("Service-Component")));
    } catch (ZipException e) {
      throw new IOException("it is no jar, or was cut off on its way (" + e.getMessage() + ")", e);
    }
  }

  private static String name(String header) throws IOException {
    int directives = header.indexOf(';');
    String name = (directives < 0 ? header : header.substring(0, directives)).strip();
    if (!NAME.matcher(name).matches()) {
      throw new IOException(
          "its Bundle-SymbolicName '"
              + name
              + "' is none: that has only letters, digits, dots, hyphens and underscores, and does"
              + " not begin with a dot");
    }
    return name;
  }

  private static Version version(String text) throws IOException {
    try {
      return Version.parseVersion(text);
    } catch (IllegalArgumentException e) {
      throw new IOException("its Bundle-Version is no version: " + e.getMessage(), e);
    }
  }

  private static Set<String> names(String header) {
    return new HashSet<>(Headers.names(header));
  }

  /** The same content at another place. */
  public ModuleJar at(Path place) {
    return new ModuleJar(
        place, symbolicName, version, arrivedMillis, digest, exports, needs, modules);
  }

  /** Whether it could give the other one something that it needs. */
  public boolean serves(ModuleJar other) {
    return other.needs.contains(symbolicName) || exports.stream().anyMatch(other.needs::contains);
  }

  /** The name of its file. */
  public String fileName() {
    return path.getFileName().toString();
  }
}

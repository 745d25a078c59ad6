package org.mezzo.deployment.bundles;

import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.mezzo.deployment.folder.DeclaredModule;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.modules.Kind;
import org.mezzo.modules.Kinds;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.namespace.PackageNamespace;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRevision;

/** What a jar must be before anything of it is installed. */
final class Admission {
  /** The SPI interface of each kind. */
  static final Map<String, String> KINDS =
      Kinds.all().stream()
          .collect(Collectors.toUnmodifiableMap(Kind::name, kind -> kind.type().getName()));

  private final Signatures signatures;
  private final Map<String, String> kinds;
  private final Set<String> coreBundles = new HashSet<>();
  private final Set<String> corePackages = new HashSet<>();

  /** For the core as it is now: it does not change while a host runs. */
  Admission(BundleContext context, Signatures signatures, Map<String, String> kinds) {
    this.signatures = signatures;
    this.kinds = new TreeMap<>(kinds);
    for (Bundle bundle : context.getBundles()) {
      BundleRevision revision = bundle.adapt(BundleRevision.class);
      if (!ModuleBundles.isModule(bundle) && revision != null) {
        coreBundles.add(bundle.getSymbolicName());
        for (BundleCapability exported :
            revision.getDeclaredCapabilities(PackageNamespace.PACKAGE_NAMESPACE)) {
          corePackages.add(
              String.valueOf(exported.getAttributes().get(PackageNamespace.PACKAGE_NAMESPACE)));
        }
      }
    }
  }

  /**
   * What speaks against a jar; empty when nothing does.
   *
   * @param others that are installed or lie in the folder
   */
  Optional<String> objection(ModuleJar jar, Collection<ModuleJar> others) {
    Optional<String> unsigned = signatures.objection(jar);
    if (unsigned.isPresent()) {
      return unsigned;
    }
    if (coreBundles.contains(jar.symbolicName())) {
      return Optional.of(
          jar.symbolicName()
              + " is a core bundle of this host, which cannot be swapped; replace it in the"
              + " distribution's system folder and restart");
    }
    Set<String> poison = new TreeSet<>(jar.exports());
    poison.retainAll(corePackages);
    if (!poison.isEmpty()) {
      return Optional.of(
          "it exports "
              + String.join(", ", poison)
              + ", which the host itself provides, and other modules could get the wrong one;"
              + " leave that out of the bundle and of its Export-Package, and import it");
    }
    for (DeclaredModule module : jar.modules()) {
      Optional<String> objection = objection(module);
      if (objection.isPresent()) {
        return objection;
      }
    }
    if (jar.modules().isEmpty() && others.stream().noneMatch(jar::serves)) {
      return Optional.of(
          "it is a bundle but no module: none of its components announces one (@MezzoModule), and"
              + " no module that is installed or in the folder needs a package of it");
    }
    return Optional.empty();
  }

  private Optional<String> objection(DeclaredModule module) {
    String component = "its component " + module.component();
    String spi = kinds.get(module.kind());
    if (spi == null) {
      return Optional.of(
          component
              + " is a module of the kind '"
              + module.kind()
              + "', which this host does not know; it knows "
              + String.join(", ", kinds.keySet()));
    }
    if (module.name().isBlank()) {
      return Optional.of(component + " is a module without a name; give @MezzoModule one");
    }
    if (!module.interfaces().contains(spi)) {
      return Optional.of(
          component
              + " is a module of the kind '"
              + module.kind()
              + "' but does not provide "
              + spi
              + "; name that as its service");
    }
    if (!module.scope().equals("prototype")) {
      return Optional.of(
          component
              + " has the scope '"
              + module.scope()
              + "'; write @Component(scope = ServiceScope.PROTOTYPE), so that every daemon gets an"
              + " instance of its own");
    }
    return Optional.empty();
  }
}

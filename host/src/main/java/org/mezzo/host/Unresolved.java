package org.mezzo.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.osgi.framework.Bundle;
import org.osgi.framework.namespace.BundleNamespace;
import org.osgi.framework.namespace.ExecutionEnvironmentNamespace;
import org.osgi.framework.namespace.HostNamespace;
import org.osgi.framework.namespace.PackageNamespace;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.resource.Namespace;

/** Says in plain words why bundles cannot be resolved. */
final class Unresolved {
  private static final Pattern NAME = Pattern.compile("\\((?:osgi\\.[a-z.]+)=([^)]*)\\)");
  private static final Pattern AT_LEAST = Pattern.compile("\\((?:bundle-)?version>=([^)]*)\\)");
  private static final Pattern BELOW = Pattern.compile("\\(!\\((?:bundle-)?version>=([^)]*)\\)\\)");
  private static final Pattern JAVA = Pattern.compile("\\(version=([^)]*)\\)");

  private final Bundle[] bundles;

  Unresolved(Bundle[] bundles) {
    this.bundles = bundles;
  }

  /** One line for each bundle that is not resolved. */
  List<String> reasons() {
    List<String> reasons = new ArrayList<>();
    for (Bundle bundle : bundles) {
      if (bundle.getState() == Bundle.INSTALLED) {
        reasons.add(describe(bundle) + " " + reason(bundle));
      }
    }
    return reasons;
  }

  private String reason(Bundle bundle) {
    List<String> missing = new ArrayList<>();
    TreeSet<String> waiting = new TreeSet<>();
    for (BundleRequirement requirement :
        bundle.adapt(BundleRevision.class).getDeclaredRequirements(null)) {
      if (!mandatory(requirement)) {
        continue;
      }
      List<BundleCapability> providers = providers(requirement);
      if (providers.isEmpty()) {
        missing.add(missing(requirement));
      } else if (providers.stream().noneMatch(provider -> resolved(provider, bundle))) {
        for (BundleCapability provider : providers) {
          waiting.add(describe(provider.getRevision().getBundle()));
        }
      }
    }
    if (!missing.isEmpty()) {
      return "needs " + String.join("; and it needs ", missing);
    }
    if (!waiting.isEmpty()) {
      return "needs " + String.join(" and ", waiting) + ", which cannot be used either";
    }
    return "finds everything it needs, but not in one consistent set: two versions of a package"
        + " exclude each other";
  }

  private static boolean mandatory(BundleRequirement requirement) {
    Map<String, String> directives = requirement.getDirectives();
    String resolution = directives.get(Namespace.REQUIREMENT_RESOLUTION_DIRECTIVE);
    String effective =
        directives.getOrDefault(
            Namespace.REQUIREMENT_EFFECTIVE_DIRECTIVE, Namespace.EFFECTIVE_RESOLVE);
    return !Namespace.RESOLUTION_OPTIONAL.equals(resolution)
        && !PackageNamespace.RESOLUTION_DYNAMIC.equals(resolution)
        && effective.equals(Namespace.EFFECTIVE_RESOLVE);
  }

  private List<BundleCapability> providers(BundleRequirement requirement) {
    List<BundleCapability> providers = new ArrayList<>();
    for (Bundle bundle : bundles) {
      for (BundleCapability capability : capabilities(bundle, requirement.getNamespace())) {
        if (requirement.matches(capability)) {
          providers.add(capability);
        }
      }
    }
    return providers;
  }

  private static List<BundleCapability> capabilities(Bundle bundle, String namespace) {
    return bundle.adapt(BundleRevision.class).getDeclaredCapabilities(namespace);
  }

  private static boolean resolved(BundleCapability provider, Bundle except) {
    Bundle bundle = provider.getRevision().getBundle();
    return bundle.equals(except) || bundle.getState() != Bundle.INSTALLED;
  }

  private String missing(BundleRequirement requirement) {
    String filter =
        requirement.getDirectives().getOrDefault(Namespace.REQUIREMENT_FILTER_DIRECTIVE, "");
    String name = first(NAME, filter);
    switch (requirement.getNamespace()) {
      case PackageNamespace.PACKAGE_NAMESPACE:
        return "the package " + name + range(filter) + others(requirement, name);
      case BundleNamespace.BUNDLE_NAMESPACE:
      case HostNamespace.HOST_NAMESPACE:
        return "the bundle " + name + range(filter) + others(requirement, name);
      case ExecutionEnvironmentNamespace.EXECUTION_ENVIRONMENT_NAMESPACE:
        return "Java " + first(JAVA, filter) + ", and this is Java " + Runtime.version().feature();
      default:
        return "the capability "
            + requirement.getNamespace()
            + " "
            + filter
            + ", which no bundle provides";
    }
  }

  private String others(BundleRequirement requirement, String name) {
    TreeSet<String> others = new TreeSet<>();
    String namespace = requirement.getNamespace();
    for (Bundle bundle : bundles) {
      for (BundleCapability capability : capabilities(bundle, namespace)) {
        if (name.equals(capability.getAttributes().get(namespace))) {
          Object version =
              capability
                  .getAttributes()
                  .get(
                      namespace.equals(PackageNamespace.PACKAGE_NAMESPACE)
                          ? PackageNamespace.CAPABILITY_VERSION_ATTRIBUTE
                          : BundleNamespace.CAPABILITY_BUNDLE_VERSION_ATTRIBUTE);
          others.add(version + " from " + bundle.getSymbolicName());
        }
      }
    }
    return others.isEmpty()
        ? ", which no bundle provides"
        : "; there is only version " + String.join(" and ", others);
  }

  private static String range(String filter) {
    String least = first(AT_LEAST, BELOW.matcher(filter).replaceAll(""));
    String below = first(BELOW, filter);
    String text = least.isEmpty() || least.equals("0.0.0") ? "" : " in version " + least;
    return below.isEmpty() || text.isEmpty() ? text : text + " or newer, but below " + below;
  }

  private static String first(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? matcher.group(1) : "";
  }

  private static String describe(Bundle bundle) {
    return bundle.getSymbolicName() + " " + bundle.getVersion();
  }
}

package org.mezzo.deployment.bundles;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;

/** Says in plain words why a bundle cannot resolve. */
final class Requirements {
  private static final Pattern NAME = Pattern.compile("\\(([\\w.]+)=([^()]*)\\)");
  private static final Pattern AT_LEAST = Pattern.compile("\\((?:bundle-)?version>=([^()]*)\\)");
  private static final Pattern BELOW =
      Pattern.compile("\\(!\\((?:bundle-)?version>=([^()]*)\\)\\)");

  private Requirements() {}

  /** What none of these provides; the framework's own text when everything is provided. */
  static String missing(Collection<Bundle> providers, Bundle bundle, String frameworkText) {
    BundleRevision revision = bundle.adapt(BundleRevision.class);
    if (revision == null) {
      return frameworkText;
    }
    List<BundleCapability> capabilities = new ArrayList<>();
    for (Bundle installed : providers) {
      BundleRevision provider = installed.adapt(BundleRevision.class);
      if (provider != null) {
        capabilities.addAll(provider.getDeclaredCapabilities(null));
      }
    }
    Set<String> missing = new LinkedHashSet<>();
    for (BundleRequirement requirement : revision.getDeclaredRequirements(null)) {
      String effective = requirement.getDirectives().get(Constants.EFFECTIVE_DIRECTIVE);
      boolean needed =
          !Constants.RESOLUTION_OPTIONAL.equals(
                  requirement.getDirectives().get(Constants.RESOLUTION_DIRECTIVE))
              && !"dynamic".equals(requirement.getDirectives().get(Constants.RESOLUTION_DIRECTIVE))
              && (effective == null || effective.equals(Constants.EFFECTIVE_RESOLVE));
      if (needed && capabilities.stream().noneMatch(requirement::matches)) {
        missing.add(inWords(requirement, capabilities));
      }
    }
    return missing.isEmpty() ? frameworkText : String.join("; ", missing);
  }

  private static String inWords(
      BundleRequirement requirement, List<BundleCapability> capabilities) {
    String namespace = requirement.getNamespace();
    String filter = String.valueOf(requirement.getDirectives().get(Constants.FILTER_DIRECTIVE));
    String name = "";
    Matcher matcher = NAME.matcher(filter);
    while (name.isEmpty() && matcher.find()) {
      if (matcher.group(1).equals(namespace)) {
        name = matcher.group(2);
      }
    }
    String wanted = name;
    String range = range(filter);
    List<String> offered =
        capabilities.stream()
            .filter(capability -> capability.getNamespace().equals(namespace))
            .filter(capability -> wanted.equals(capability.getAttributes().get(namespace)))
            .map(
                capability ->
                    capability.getAttributes().getOrDefault("version", "no version")
                        + " by "
                        + capability.getRevision().getSymbolicName())
            .distinct()
            .toList();
    String but =
        offered.isEmpty()
            ? ", which no installed bundle provides"
            : ", but only these are there: " + String.join(", ", offered);
    return switch (namespace) {
      case "osgi.wiring.package" -> "it needs the package " + wanted + range + but;
      case "osgi.wiring.bundle" -> "it needs the bundle " + wanted + range + but;
      case "osgi.ee" -> "it needs " + wanted + range + ", which this Java is not";
      default -> "it needs " + namespace + " " + filter + but;
    };
  }

  private static String range(String filter) {
    Matcher atLeast = AT_LEAST.matcher(filter);
    Matcher below = BELOW.matcher(filter);
    String from = atLeast.find() ? atLeast.group(1) : "";
    String to = below.find() ? below.group(1) : "";
    if (from.isEmpty() && to.isEmpty()) {
      return "";
    }
    if (to.isEmpty()) {
      return " in version " + from + " or later";
    }
    return " in version " + (from.isEmpty() ? "0" : from) + " up to but not including " + to;
  }
}

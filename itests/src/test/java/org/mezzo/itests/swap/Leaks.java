package org.mezzo.itests.swap;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.mezzo.fixtures.Await;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.service.cm.ManagedService;

/**
 * What is left of bundles that were swapped out: whether anything still refers to their class
 * loaders, and so to their classes and instances, and which threads and services there are.
 */
final class Leaks {
  /** Idle threads of pools end within ten seconds, and a collector may take its time. */
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private record Loader(String name, long bundleId, WeakReference<ClassLoader> reference) {}

  private final BundleContext context;
  private final List<Loader> loaders = new ArrayList<>();

  Leaks(BundleContext context) {
    this.context = context;
  }

  /** Remembers the bundles that have this symbolic name now. */
  void seen(String symbolicName) {
    for (Bundle bundle : context.getBundles()) {
      BundleWiring wiring = bundle.adapt(BundleWiring.class);
      if (wiring != null && symbolicName.equals(bundle.getSymbolicName())) {
        loaders.add(
            new Loader(
                symbolicName + " " + bundle.getVersion(),
                bundle.getBundleId(),
                new WeakReference<>(wiring.getClassLoader())));
      }
    }
  }

  /** Remembers a version no more, of no bundle. */
  void forget(String version) {
    loaders.removeIf(loader -> loader.name().endsWith(" " + version));
  }

  /** How many are remembered. */
  int count() {
    return loaders.size();
  }

  /** Waits until nothing refers to bundles that are gone; names those that something refers to. */
  List<String> awaitNone() {
    try {
      Await.until("class loaders are gone", PATIENCE, () -> left().isEmpty());
      return List.of();
    } catch (AssertionError e) {
      return left();
    }
  }

  private List<String> left() {
    System.gc();
    return loaders.stream()
        .filter(loader -> context.getBundle(loader.bundleId()) == null)
        .filter(loader -> loader.reference().get() != null)
        .map(Loader::name)
        .toList();
  }

  /** The threads of the host and of modules, by what their names say without numbers. */
  static Map<String, Integer> threads() {
    Map<String, Integer> threads = new TreeMap<>();
    Thread.getAllStackTraces()
        .keySet()
        .forEach(
            thread -> threads.merge(thread.getName().replaceAll("\\d+", "N"), 1, Integer::sum));
    threads
        .keySet()
        .removeIf(name -> Stream.of("mezzo", "master", "agent").noneMatch(name::startsWith));
    return threads;
  }

  /** Waits until there are no more threads than before; gives those that are too many. */
  static Map<String, Integer> awaitThreads(Map<String, Integer> before) {
    try {
      Await.until("threads have ended", PATIENCE, () -> more(before).isEmpty());
      return Map.of();
    } catch (AssertionError e) {
      return more(before);
    }
  }

  private static Map<String, Integer> more(Map<String, Integer> before) {
    Map<String, Integer> more = threads();
    more.entrySet().removeIf(entry -> entry.getValue() <= before.getOrDefault(entry.getKey(), 0));
    return more;
  }

  /** The installed bundles, by name and version. */
  List<String> bundles() {
    return Stream.of(context.getBundles())
        .map(bundle -> bundle.getSymbolicName() + " " + bundle.getVersion())
        .sorted()
        .toList();
  }

  /**
   * The registered services, by bundle and interfaces; without those by which the component runtime
   * hears of configurations, of which each bundle gets one with its first.
   */
  List<String> services() {
    try {
      return Stream.of(context.getAllServiceReferences(null, null))
          .map(
              it ->
                  it.getBundle().getSymbolicName()
                      + ": "
                      + String.join(", ", (String[]) it.getProperty(Constants.OBJECTCLASS)))
          .filter(it -> !it.endsWith(": " + ManagedService.class.getName()))
          .sorted()
          .toList();
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}

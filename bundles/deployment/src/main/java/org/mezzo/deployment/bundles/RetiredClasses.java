package org.mezzo.deployment.bundles;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The class loaders of bundles that were removed, until the collector has freed them. One that it
 * cannot free is a leak of the module's: a thread that it left running, or something of it that it
 * put into a class of others. Safe for any thread.
 */
final class RetiredClasses {
  private static final Logger LOG = LoggerFactory.getLogger(RetiredClasses.class);

  /** The first full collection may have begun before the bundle was gone. */
  private static final long COLLECTIONS = 2;

  private static final int MOST = 100;
  private static final int MOST_THREADS = 5;

  private static final class Retired {
    final String bundle;
    final WeakReference<ClassLoader> loader;
    final long collections;
    boolean told;

    Retired(String bundle, ClassLoader loader, long collections) {
      this.bundle = bundle;
      this.loader = new WeakReference<>(loader);
      this.collections = collections;
    }
  }

  private final Deque<Retired> retired = new ArrayDeque<>();

  /** The loader of a bundle that is not removed yet; empty when it never had one. */
  static Optional<ClassLoader> loader(Bundle bundle) {
    BundleWiring wiring = bundle.adapt(BundleWiring.class);
    return Optional.ofNullable(wiring == null ? null : wiring.getClassLoader());
  }

  /** The bundle is removed; nobody should need its classes from now on. */
  void add(Bundle bundle, ClassLoader loader) {
    synchronized (retired) {
      retired.addLast(new Retired(Reasons.name(bundle), loader, fullCollections()));
      if (retired.size() > MOST) {
        retired.removeFirst();
      }
    }
    leaks();
  }

  /**
   * The bundles whose classes have outlived full collections, with what holds them where that can
   * be told. Of those that were removed longest ago it may know no more.
   */
  List<String> leaks() {
    long collections = fullCollections();
    List<String> leaks = new ArrayList<>();
    synchronized (retired) {
      retired.removeIf(it -> it.loader.get() == null);
      for (Retired each : retired) {
        ClassLoader loader = each.loader.get();
        if (loader != null && collections - each.collections >= COLLECTIONS) {
          String leak = each.bundle + ": loader " + loader + threads(loader);
          leaks.add(leak);
          if (!each.told) {
            each.told = true;
            LOG.warn(
                "The classes of a bundle that was removed cannot be freed, something of it is in"
                    + " use still: {}",
                leak);
          }
        }
      }
    }
    return leaks;
  }

  private static long fullCollections() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .filter(it -> !it.getName().matches(".*(Young|Copy|Scavenge|ParNew|Minor|Pauses).*"))
        .mapToLong(GarbageCollectorMXBean::getCollectionCount)
        .sum();
  }

  private static String threads(ClassLoader loader) {
    List<String> names =
        Thread.getAllStackTraces().entrySet().stream()
            .filter(
                entry ->
                    entry.getKey().getContextClassLoader() == loader
                        || entry.getKey().getClass().getClassLoader() == loader
                        || runs(loader, entry.getValue()))
            .map(entry -> "'" + entry.getKey().getName() + "'")
            .sorted()
            .toList();
    return names.isEmpty()
        ? ""
        : names.stream()
            .limit(MOST_THREADS)
            .collect(
                Collectors.joining(
                    ", ",
                    ", perhaps held by the threads ",
                    names.size() > MOST_THREADS ? " and " + (names.size() - MOST_THREADS) : ""));
  }

  /**
   * Whether a class of that name is the loader's own: a successor's class may have the name, too.
   */
  private static boolean runs(ClassLoader loader, StackTraceElement[] stack) {
    for (StackTraceElement frame : stack) {
      String name = frame.getClassName();
      if (!name.startsWith("java.") && !name.startsWith("jdk.") && !name.startsWith("sun.")) {
        try {
          if (Class.forName(name, false, loader).getClassLoader() == loader) {
            return true;
          }
        } catch (ClassNotFoundException | LinkageError | RuntimeException e) {
          continue;
        }
      }
    }
    return false;
  }
}

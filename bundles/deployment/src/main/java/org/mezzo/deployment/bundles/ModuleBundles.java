package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.Journal;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.FrameworkWiring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Installs, starts, drains and removes bundles. */
final class ModuleBundles {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleBundles.class);
  private static final String LOCATION = "mezzo-module:";

  private final BundleContext context;
  private final Journal journal;
  private final ModuleLeases leases;
  private final Supplier<Settings> settings;
  private final Wiring wiring;
  private final Map<Bundle, ModuleJar> contents = new ConcurrentHashMap<>();
  private final Set<Long> stuck = new HashSet<>();

  /** Since when contents run, of those of which the journal says that the process may end. */
  private final Map<String, Long> marks = new HashMap<>();

  private long locations;

  private final RetiredClasses retired = new RetiredClasses();

  ModuleBundles(
      BundleContext context,
      Journal journal,
      ModuleLeases leases,
      Wiring wiring,
      Supplier<Settings> settings) {
    this.context = context;
    this.journal = journal;
    this.leases = leases;
    this.settings = settings;
    this.wiring = wiring;
  }

  /** Everything that is installed, whatever it is for, by content; for any thread. */
  Map<Bundle, ModuleJar> contents() {
    return Map.copyOf(contents);
  }

  /** What a bundle holds; empty for one that deployment has not installed, or has removed. */
  Optional<ModuleJar> content(Bundle bundle) {
    return Optional.ofNullable(contents.get(bundle));
  }

  /** Whether deployment has installed a bundle, and not the host. */
  static boolean isModule(Bundle bundle) {
    return bundle.getLocation().startsWith(LOCATION);
  }

  /** Bundles of a former life of this component; what is still wanted is installed again. */
  void removeLeftovers() {
    for (Bundle bundle : context.getBundles()) {
      if (isModule(bundle)) {
        try {
          run(bundle, "removed", bundle::uninstall);
        } catch (BundleException e) {
          LOG.warn("{} of an earlier run cannot be removed", bundle, e);
        }
      }
    }
  }

  /** Whether nobody can stop a bundle, because it did not return from being started or stopped. */
  boolean isStuck(Bundle bundle) {
    return stuck.contains(bundle.getBundleId());
  }

  /**
   * Runs code of a guest within the limit for it.
   *
   * @param what as in "it does not return from being started"
   * @throws HangsException when it does not return: nothing is asked of that bundle any more
   */
  private void run(Bundle bundle, String what, Disposable.Step step) throws BundleException {
    if (isStuck(bundle)) {
      throw new HangsException("it hangs and is left alone until this process ends");
    }
    try {
      Disposable.run(
          "mezzo-module-" + bundle.getSymbolicName() + "-" + bundle.getVersion(),
          what,
          Duration.ofMillis(settings.get().startTimeoutMillis()),
          step);
    } catch (HangsException e) {
      stuck.add(bundle.getBundleId());
      // Should it come to itself, it gets nothing to do.
      leases.drain(bundle.getBundleId(), Duration.ZERO);
      throw e;
    }
  }

  Bundle install(Path content, ModuleJar jar) throws IOException, BundleException {
    String location = LOCATION + jar.symbolicName() + "/" + jar.version() + "/" + ++locations;
    try (InputStream in = Files.newInputStream(content)) {
      Bundle bundle = context.installBundle(location, in);
      contents.put(bundle, jar);
      return bundle;
    }
  }

  /**
   * Installs a bundle that is to take over from another one: it is wired to other candidates and to
   * what stays, and nothing else is wired to it.
   */
  Bundle candidate(Path content, ModuleJar jar, Bundle former) throws IOException, BundleException {
    wiring.former(former);
    Bundle bundle = install(content, jar);
    wiring.candidate(bundle);
    return bundle;
  }

  /**
   * Why a jar could not be resolved beside what is installed, found out by having the framework try
   * it: it is installed for as long as that takes, nobody is wired to it, and nothing of it runs.
   *
   * @param former what it would take over from
   * @return empty when it can be resolved
   */
  Optional<String> lacking(Path content, ModuleJar jar, Optional<Bundle> former) {
    former.ifPresent(wiring::former);
    Optional<Bundle> tried = Optional.empty();
    try {
      Bundle bundle = install(content, jar);
      tried = Optional.of(bundle);
      wiring.candidate(bundle);
      if (context.getBundle(0).adapt(FrameworkWiring.class).resolveBundles(List.of(bundle))) {
        return Optional.empty();
      }
      return Optional.of(
          Reasons.notResolved(
              providers(bundle),
              bundle,
              "each thing that it needs is there, but they cannot be had together"));
    } catch (IOException | BundleException e) {
      return Optional.of(Reasons.plain(e));
    } finally {
      tried.ifPresent(this::forget);
      former.ifPresent(wiring::established);
    }
  }

  /** Removes what was never started. */
  private void forget(Bundle bundle) {
    contents.remove(bundle);
    try {
      bundle.uninstall();
    } catch (BundleException e) {
      LOG.warn("{}, which was only tried, is not removed", Reasons.name(bundle), e);
    }
    wiring.established(bundle);
    refreshRemoved();
  }

  private List<Bundle> providers(Bundle bundle) {
    return Stream.of(context.getBundles()).filter(other -> wiring.mayServe(other, bundle)).toList();
  }

  /** A candidate has taken over, or a bundle that was to be taken over from stays. */
  void established(Bundle bundle) {
    wiring.established(bundle);
  }

  /** No lease goes to a bundle until it is admitted. */
  void bar(Bundle bundle) {
    leases.drain(bundle.getBundleId(), Duration.ZERO);
  }

  void resolve(List<Bundle> bundles) {
    context.getBundle(0).adapt(FrameworkWiring.class).resolveBundles(bundles);
  }

  void start(Bundle bundle) throws BundleException {
    // Transient: otherwise the start level thread would try to start it, too, and log its failure.
    run(
        bundle,
        "started",
        () -> bundle.start(Bundle.START_TRANSIENT | Bundle.START_ACTIVATION_POLICY));
    // Stopped before this one and after the daemons, which are of a later level. Only now, for the
    // start level thread would wait for one that hangs, and with it the host that is booting.
    int level = context.getBundle().adapt(BundleStartLevel.class).getStartLevel();
    bundle.adapt(BundleStartLevel.class).setStartLevel(level);
  }

  /**
   * Starts a bundle; while it is, and until its {@linkplain #outlived mark is closed}, the journal
   * says that the process may end of it.
   */
  void startMarked(Bundle bundle, ModuleJar jar) throws BundleException {
    journal.starting(jar.digest());
    boolean started = false;
    try {
      start(bundle);
      started = true;
    } finally {
      if (started) {
        marks.put(jar.digest(), System.nanoTime());
        journal.opening(jar.digest());
      } else {
        outlived(jar.digest());
      }
    }
  }

  /** The process has outlived being with a content. */
  void outlived(String digest) {
    marks.remove(digest);
    journal.survived(digest);
  }

  /** Closes the marks of all that was started a while ago, whatever became of it. */
  void closeOldMarks() {
    long limit = TimeUnit.MILLISECONDS.toNanos(settings.get().startTimeoutMillis());
    long now = System.nanoTime();
    Map.copyOf(marks)
        .forEach(
            (digest, since) -> {
              if (now - since >= limit) {
                outlived(digest);
              }
            });
  }

  /**
   * Stops a bundle; one that throws is stopped all the same.
   *
   * @throws HangsException when it does not return
   */
  void stop(Bundle bundle) throws BundleException {
    run(
        bundle,
        "stopped",
        () -> {
          try {
            bundle.stop(Bundle.STOP_TRANSIENT);
          } catch (BundleException e) {
            LOG.warn("{} does not stop in order", Reasons.name(bundle), e);
          }
        });
  }

  /** Gives a stopped bundle other content. */
  void update(Bundle bundle, InputStream content, ModuleJar jar) throws BundleException {
    run(bundle, "updated", () -> bundle.update(content));
    ModuleJar former = contents.put(bundle, jar);
    closeMark(bundle, former);
    refreshRemoved();
  }

  /** Why a bundle could not be started. */
  String notStarted(Bundle bundle, BundleException failure) {
    return Reasons.notStarted(providers(bundle), bundle, failure);
  }

  /**
   * Drains a bundle, so that nothing is lost by stopping it, and removes it.
   *
   * @throws HangsException when it does not return from being stopped: it stays where it is,
   *     drained
   * @throws BundleException when it cannot be removed
   */
  void retire(Bundle bundle) throws BundleException {
    long id = bundle.getBundleId();
    drain(id);
    ModuleJar content = contents.get(bundle);
    Optional<ClassLoader> loader = RetiredClasses.loader(bundle);
    try {
      stop(bundle);
      run(bundle, "removed", bundle::uninstall);
      loader.ifPresent(it -> retired.add(bundle, it));
      contents.remove(bundle);
    } finally {
      closeMark(bundle, content);
    }
    refreshRemoved();
    wiring.established(bundle);
    leases.readmit(id);
  }

  /** Bundles that are removed and whose classes cannot be freed; for any thread. */
  List<String> leaks() {
    return retired.leaks();
  }

  /**
   * What a bundle held does no harm any more, unless one holds it now.
   *
   * @param former may be null
   */
  private void closeMark(Bundle bundle, ModuleJar former) {
    if (former == null) {
      return;
    }
    boolean held = false;
    for (Map.Entry<Bundle, ModuleJar> each : contents.entrySet()) {
      ModuleJar now = each.getValue();
      boolean gone = each.getKey().equals(bundle) && now == former;
      held |= !gone && now.digest().equals(former.digest());
    }
    if (!held) {
      outlived(former.digest());
    }
  }

  /**
   * Only bundles that others are wired to linger, which others have taken over from as a rule. A
   * refresh would wait for one that hangs for ever.
   */
  private void refreshRemoved() {
    FrameworkWiring framework = context.getBundle(0).adapt(FrameworkWiring.class);
    if (stuck.isEmpty() && !framework.getRemovalPendingBundles().isEmpty()) {
      framework.refreshBundles(null);
    }
  }

  /** Waits until no call runs in a bundle, and lets none begin until it is readmitted. */
  void drain(long bundleId) {
    Duration deadline = Duration.ofMillis(settings.get().drainTimeoutMillis());
    try {
      leases
          .drain(bundleId, deadline)
          .toCompletableFuture()
          .get(deadline.toMillis() + 5_000, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("Bundle {} is stopped though calls into it may run", bundleId, e);
    }
  }
}

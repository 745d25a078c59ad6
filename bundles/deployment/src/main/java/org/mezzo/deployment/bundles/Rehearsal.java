package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.Journal;
import org.mezzo.files.TreeDeletion;
import org.mezzo.modules.DeclaredFlags;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.ModuleLoggers;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceObjects;
import org.osgi.framework.ServiceReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the modules of bundles rehearse for each daemon that wants them, before any of them serves:
 * an instance of its own, opened over empty folders, asked to rehearse and closed.
 *
 * <p>What another version is to take over from rehearses on deployment's thread while the old one
 * serves. What is there when a host starts, or is wanted by somebody else later, rehearses on the
 * thread that is about to open it, unless its content is known to have rehearsed well: a boot with
 * what ran before costs nothing.
 */
final class Rehearsal implements ModuleLeases.Rehearsals {
  private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);
  private static final String PREFIX = "mezzo.module.";

  /** A module in a content of a bundle, and the daemon that it rehearses for. */
  private record Part(long bundleId, String digest, String kind, String name, String daemon) {}

  /** Why a module may not be opened. */
  record Failure(Verdict.Kind verdict, String problem) {}

  private final BundleContext context;
  private final ModuleBundles bundles;
  private final ModuleLeases leases;
  private final Journal journal;
  private final Path folder;
  private final Supplier<Settings> settings;
  private final AtomicLong rehearsals = new AtomicLong();

  /** Those that run, that went well, and that do not end. */
  private final Map<Part, FutureTask<Optional<Failure>>> tried = new ConcurrentHashMap<>();

  /** The last failures of those that were to be opened. */
  private final Map<Part, Failure> failures = new ConcurrentHashMap<>();

  /** When the last rehearsal of a digest ended well that the journal does not know of yet. */
  private final Map<String, Long> passedNanos = new ConcurrentHashMap<>();

  /** Contents that rehearse in this process for each daemon that opens them. */
  private final Set<String> fresh = ConcurrentHashMap.newKeySet();

  private final AtomicBoolean news = new AtomicBoolean();

  /**
   * Rehearses below a folder.
   *
   * @param folder whose content is deleted
   */
  Rehearsal(
      BundleContext context,
      ModuleBundles bundles,
      ModuleLeases leases,
      Journal journal,
      Path folder,
      Supplier<Settings> settings) {
    this.context = context;
    this.bundles = bundles;
    this.leases = leases;
    this.journal = journal;
    this.folder = folder;
    this.settings = settings;
    delete(folder);
  }

  /**
   * Rehearses with everything that a bundle has registered, for all that want it now.
   *
   * @return what went wrong; empty when all went well, or nobody wants its modules
   */
  Optional<Failure> of(Bundle bundle) {
    ServiceReference<?>[] services = bundle.getRegisteredServices();
    Optional<ModuleJar> jar = bundles.content(bundle);
    if (services == null || jar.isEmpty()) {
      return Optional.empty();
    }
    for (ServiceReference<?> service : services) {
      Object kind = service.getProperty(PREFIX + "kind");
      Object name = service.getProperty(PREFIX + "name");
      if (kind != null && name != null) {
        for (DaemonContext daemon : leases.wanting(kind.toString(), name.toString())) {
          Optional<Failure> failure =
              once(part(bundle, jar.get(), kind.toString(), name.toString(), daemon), daemon);
          if (failure.isPresent()) {
            return failure;
          }
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Rehearses with a module under other parameters, for all that want it now. A process that ends
   * meanwhile says nothing against the module: the next one has the parameters before.
   *
   * @param values what is set above the parameters of daemons
   * @return what went wrong; empty when all went well, or nobody wants it
   */
  Optional<String> of(Bundle bundle, String kind, String name, Map<String, String> values) {
    Optional<ModuleJar> jar = bundles.content(bundle);
    if (jar.isPresent()) {
      for (DaemonContext daemon : leases.wanting(kind, name)) {
        Optional<Failure> failure =
            rehearse(part(bundle, jar.get(), kind, name, daemon), daemon, values);
        if (failure.isPresent()) {
          return Optional.of(failure.get().problem);
        }
      }
    }
    return Optional.empty();
  }

  private static Part part(
      Bundle bundle, ModuleJar jar, String kind, String name, DaemonContext daemon) {
    return new Part(bundle.getBundleId(), jar.digest(), kind, name, daemon.daemon());
  }

  @Override
  public void before(long bundleId, String kind, String name, DaemonContext daemon)
      throws BundleException {
    Bundle bundle = context.getBundle(bundleId);
    Optional<ModuleJar> jar = bundle == null ? Optional.empty() : bundles.content(bundle);
    if (jar.isEmpty() || !mustRehearse(jar.get())) {
      return;
    }
    Part part = part(bundle, jar.get(), kind, name, daemon);
    Optional<Failure> failure = once(part, daemon);
    if (failure.isEmpty()) {
      failures.remove(part);
      return;
    }
    if (isThere(bundle, part)) {
      failures.put(part, failure.get());
      news.set(true);
    }
    throw new BundleException(failure.get().problem);
  }

  /** What is being stopped or withdrawn cannot do better, and nothing is held against it. */
  private static boolean isThere(Bundle bundle, Part part) {
    return (bundle.getState() & (Bundle.STARTING | Bundle.ACTIVE)) != 0
        && service(bundle, part).isPresent();
  }

  /** Once in a process, always in it: the first daemon is not the only one. */
  private boolean mustRehearse(ModuleJar jar) {
    if (journal.isProven(jar.symbolicName(), jar.digest())) {
      return false;
    }
    if (!journal.hasPassed(jar.digest())) {
      fresh.add(jar.digest());
    }
    return fresh.contains(jar.digest());
  }

  /** Rehearses, or waits until another thread has; what has failed is tried anew. */
  private Optional<Failure> once(Part part, DaemonContext daemon) {
    FutureTask<Optional<Failure>> own = new FutureTask<>(() -> rehearse(part, daemon));
    FutureTask<Optional<Failure>> first = tried.putIfAbsent(part, own);
    if (first == null) {
      own.run();
    }
    FutureTask<Optional<Failure>> task = first == null ? own : first;
    Optional<Failure> failure;
    try {
      failure = task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of(new Failure(Verdict.Kind.REFUSED, "the host is stopping"));
    } catch (ExecutionException e) {
      LOG.warn("{} could not rehearse", part, e.getCause());
      failure = Optional.of(new Failure(Verdict.Kind.REFUSED, e.getCause().toString()));
    }
    if (failure.isPresent() && failure.get().verdict != Verdict.Kind.HUNG) {
      tried.remove(part, task);
    }
    return failure;
  }

  /** Why a content of a bundle may not be opened, as far as somebody wanted to; of any thread. */
  Optional<Failure> failure(Bundle bundle, ModuleJar jar) {
    return failures.entrySet().stream()
        .filter(
            failed ->
                failed.getKey().bundleId == bundle.getBundleId()
                    && failed.getKey().digest.equals(jar.digest()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /** Whether something has failed that was to be opened, since this was asked last. */
  boolean hasNews() {
    return news.getAndSet(false);
  }

  /**
   * Has the journal know of what has rehearsed well and lasted for a while, and forgets bundles
   * that are gone.
   */
  void settle() {
    long probation = TimeUnit.MILLISECONDS.toNanos(settings.get().probationMillis());
    long now = System.nanoTime();
    for (Map.Entry<String, Long> passed : Map.copyOf(passedNanos).entrySet()) {
      String digest = passed.getKey();
      boolean bad =
          journal.verdict(digest).isPresent()
              || failures.keySet().stream().anyMatch(part -> part.digest.equals(digest));
      if (bad || now - passed.getValue() >= probation) {
        passedNanos.remove(digest, passed.getValue());
        if (!bad) {
          journal.passed(digest);
        }
      }
    }
    Set<String> there =
        bundles.contents().values().stream().map(ModuleJar::digest).collect(Collectors.toSet());
    fresh.retainAll(there);
    tried.keySet().removeIf(this::isGone);
    failures.keySet().removeIf(this::isGone);
  }

  private boolean isGone(Part part) {
    Bundle bundle = context.getBundle(part.bundleId);
    return bundle == null
        || bundles.content(bundle).filter(jar -> jar.digest().equals(part.digest)).isEmpty();
  }

  private Optional<Failure> rehearse(Part part, DaemonContext daemon) {
    journal.rehearsing(part.digest);
    try {
      Optional<Failure> failure =
          rehearse(part, daemon, leases.configuration().values(part.kind, part.name));
      if (failure.isEmpty()) {
        passedNanos.put(part.digest, System.nanoTime());
      }
      return failure;
    } finally {
      journal.rehearsalOver(part.digest);
    }
  }

  private Optional<Failure> rehearse(Part part, DaemonContext daemon, Map<String, String> values) {
    Bundle bundle = context.getBundle(part.bundleId);
    Optional<? extends ServiceReference<?>> service =
        bundle == null ? Optional.empty() : service(bundle, part);
    if (service.isEmpty()) {
      return Optional.of(new Failure(Verdict.Kind.REFUSED, "it is registered no more"));
    }
    return rehearse(bundle, service.get(), part, daemon, values)
        .map(
            it ->
                new Failure(
                    it.verdict,
                    "%s '%s' failed when it rehearsed for %s: %s"
                        .formatted(part.kind, part.name, part.daemon, it.problem)));
  }

  private static Optional<? extends ServiceReference<?>> service(Bundle bundle, Part part) {
    ServiceReference<?>[] services;
    try {
      services = bundle.getRegisteredServices();
    } catch (IllegalStateException e) {
      // It was uninstalled meanwhile.
      return Optional.empty();
    }
    return Stream.of(services == null ? new ServiceReference<?>[0] : services)
        .filter(
            service ->
                part.kind.equals(service.getProperty(PREFIX + "kind"))
                    && part.name.equals(service.getProperty(PREFIX + "name")))
        .findFirst();
  }

  private Optional<Failure> rehearse(
      Bundle bundle,
      ServiceReference<?> service,
      Part part,
      DaemonContext real,
      Map<String, String> values) {
    Path own = folder.resolve(Long.toString(rehearsals.incrementAndGet()));
    try {
      DaemonContext stage =
          new Stage(
              real,
              DeclaredFlags.visible(
                  real.flags(), DeclaredFlags.of(service.getProperty(DeclaredFlags.PROPERTY))),
              leases
                  .configuration()
                  .parameters(part.bundleId, part.kind, part.name, real.parameters(), values),
              ModuleLoggers.own(part.kind, part.name),
              Files.createDirectories(own.resolve("work")),
              Files.createDirectories(own.resolve("run")));
      Disposable.run(
          "mezzo-rehearsal-" + Reasons.name(bundle),
          "rehearsed",
          Duration.ofMillis(settings.get().startTimeoutMillis()),
          () -> perform(service, stage));
      return Optional.empty();
    } catch (HangsException e) {
      return Optional.of(new Failure(Verdict.Kind.HUNG, Reasons.plain(e)));
    } catch (BundleException e) {
      LOG.warn("{} failed when it rehearsed", Reasons.name(bundle), e);
      return Optional.of(new Failure(Verdict.Kind.REFUSED, Reasons.plain(e)));
    } catch (IllegalArgumentException e) {
      return Optional.of(new Failure(Verdict.Kind.REFUSED, e.getMessage()));
    } catch (IOException e) {
      return Optional.of(new Failure(Verdict.Kind.REFUSED, "there is no folder for it: " + e));
    } finally {
      delete(own);
    }
  }

  private <S> void perform(ServiceReference<S> service, DaemonContext stage)
      throws BundleException {
    ServiceObjects<S> objects = context.getServiceObjects(service);
    S instance = objects == null ? null : objects.getService();
    if (instance == null) {
      throw new BundleException("its component gave no instance; the log above tells why");
    }
    try {
      if (!(instance instanceof Module module)) {
        throw new BundleException(
            "it is no "
                + Module.class.getName()
                + " as this host knows it; build it against the"
                + " API of this Mezzo");
      }
      module.open(stage);
      try {
        module.rehearse();
      } finally {
        module.close();
      }
    } catch (BundleException e) {
      throw e;
    } catch (Exception e) {
      throw new BundleException(e.toString(), e);
    } finally {
      objects.ungetService(instance);
    }
  }

  private static void delete(Path tree) {
    try {
      TreeDeletion.delete(tree);
    } catch (IOException e) {
      LOG.warn("{} stays: {}", tree, e.toString());
    }
  }

  /** A daemon as a module sees it that rehearses. */
  private record Stage(
      DaemonContext real,
      Map<String, String> flags,
      Map<String, String> parameters,
      String loggerName,
      Path workDir,
      Path runtimeDir)
      implements DaemonContext {
    private static final Metrics UNSEEN =
        new Metrics() {
          @Override
          public Counter counter(String name) {
            return n -> {};
          }

          @Override
          public void gauge(String name, DoubleSupplier value) {}

          @Override
          public void remove(String name) {}
        };

    @Override
    public String daemon() {
      return real.daemon();
    }

    @Override
    public Role role() {
      return real.role();
    }

    @Override
    public Metrics metrics() {
      return UNSEEN;
    }

    @Override
    public Clock clock() {
      return real.clock();
    }

    @Override
    public boolean rehearsal() {
      return true;
    }
  }
}

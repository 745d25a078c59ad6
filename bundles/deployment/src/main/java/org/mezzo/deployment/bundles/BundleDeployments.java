package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.folder.ModuleFolder;
import org.mezzo.deployment.folder.ModuleFolder.Look;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ledger of wanted and installed module bundles, and the one thread that changes it.
 *
 * <p>What the hot folder held when the host starts is installed by the thread that activates this
 * component, so that daemons of a later start level find their modules.
 */
@Component(service = Deployments.class, immediate = true, configurationPid = "org.mezzo.deployment")
@Designate(ocd = Settings.class)
public final class BundleDeployments implements Deployments {
  private static final Logger LOG = LoggerFactory.getLogger(BundleDeployments.class);
  private static final String FOLDER_PROPERTY = "mezzo.modules.dir";
  private static final String LOCATION = "mezzo-module:";
  private static final int HISTORY = 100;

  /** Something installed by this component. */
  private static final class Installed {
    Bundle bundle;
    ModuleJar jar;
    boolean inFolder;
    long absentSinceNanos;
    int absentLooks;
    String problem = "";
    String state = "active";
    Path kept;
    List<String> modules = List.of();
  }

  /** A jar that was tried and is not tried again until it changes. */
  private record Refused(ModuleJar jar, String problem) {}

  private record Request(Supplier<Action> change, CompletableFuture<Action> done) {}

  private final BundleContext context;
  private final ModuleLeases leases;
  private final ServiceComponentRuntime components;
  private final Optional<ModuleFolder> folder;
  private final Thread thread;
  private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>();
  private final Map<String, Installed> installed = new TreeMap<>();
  private final Map<String, Refused> refused = new HashMap<>();
  private final Set<String> removedByRequest = new HashSet<>();
  private final Deque<Action> history = new ArrayDeque<>();
  private volatile List<Deployment> published = List.of();
  private volatile Settings settings;
  private volatile boolean closed;
  private Look lastLook = new Look(List.of(), Set.of(), Map.of());
  private long locations;

  @Activate
  public BundleDeployments(
      BundleContext context,
      @Reference ModuleLeases leases,
      @Reference ServiceComponentRuntime components,
      Settings settings) {
    this.context = context;
    this.leases = leases;
    this.components = components;
    this.settings = settings;
    String dir = context.getProperty(FOLDER_PROPERTY);
    folder =
        dir == null || dir.isBlank()
            ? Optional.empty()
            : Optional.of(
                new ModuleFolder(
                    Path.of(dir).toAbsolutePath(), Duration.ofMillis(settings.settleMillis())));
    removeLeftovers();
    folder.ifPresent(this::installFirst);
    publish();
    thread = new Thread(this::run, "mezzo-deployment");
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    thread.start();
  }

  @Modified
  void modified(Settings changed) {
    settings = changed;
  }

  @Deactivate
  void deactivate() throws InterruptedException {
    closed = true;
    thread.interrupt();
    thread.join(2_000);
    for (Request request = requests.poll(); request != null; request = requests.poll()) {
      request.done.completeExceptionally(new IllegalStateException("The host is stopping"));
    }
  }

  /** Bundles of a former life of this component; what is still wanted is installed again. */
  private void removeLeftovers() {
    for (Bundle bundle : context.getBundles()) {
      if (bundle.getLocation().startsWith(LOCATION)) {
        try {
          bundle.uninstall();
        } catch (BundleException e) {
          LOG.warn("{} of an earlier run cannot be removed", bundle, e);
        }
      }
    }
  }

  private void installFirst(ModuleFolder hot) {
    try {
      Files.createDirectories(hot.dir());
      lastLook = hot.look(true);
    } catch (IOException e) {
      LOG.error("The module folder {} cannot be read; no module is installed from it", hot.dir(), e);
      return;
    }
    Map<String, ModuleJar> wanted = wanted(lastLook.jars());
    List<Installed> fresh = new ArrayList<>();
    for (ModuleJar jar : wanted.values()) {
      try {
        checkNotCore(jar);
        Installed entry = new Installed();
        entry.jar = jar;
        entry.inFolder = true;
        entry.bundle = installBundle(jar.path(), jar);
        installed.put(jar.symbolicName(), entry);
        fresh.add(entry);
      } catch (IOException | BundleException e) {
        refuse(jar, plain(e));
      }
    }
    List<Bundle> bundles = fresh.stream().map(entry -> entry.bundle).toList();
    context.getBundle(0).adapt(FrameworkWiring.class).resolveBundles(bundles);
    fresh.forEach(this::startFirst);
  }

  private void startFirst(Installed entry) {
    Instant begin = Instant.now();
    try {
      start(entry.bundle);
      entry.state = "active";
      entry.problem = "";
    } catch (BundleException e) {
      describeFailure(entry, e);
    }
    record(
        begin,
        Kind.INSTALL,
        entry.jar.symbolicName(),
        "",
        entry.jar.version().toString(),
        entry.problem.isEmpty(),
        entry.problem.isEmpty() ? "installed with the host" : entry.problem,
        Duration.ZERO);
  }

  private void describeFailure(Installed entry, BundleException failure) {
    boolean unresolved = entry.bundle.getState() == Bundle.INSTALLED;
    entry.state = unresolved ? "unresolved" : "failed";
    entry.problem =
        unresolved
            ? "it cannot be resolved: "
                + Requirements.missing(context, entry.bundle, plain(failure))
            : "it cannot be started: " + plain(failure);
  }

  // --- the thread ---

  private void run() {
    try (WatchService watch = watch()) {
      keepCopies();
      while (!closed) {
        Request request = next(watch);
        if (request != null) {
          serve(request);
        }
        followAndPublish();
      }
    } catch (InterruptedException e) {
      LOG.debug("Deployment ends");
    } catch (IOException e) {
      LOG.warn("The watch of the module folder does not close", e);
    }
  }

  private void followAndPublish() {
    try {
      forgetUninstalled();
      folder.ifPresent(this::follow);
      publish();
    } catch (RuntimeException e) {
      if (!closed) {
        LOG.error("The module folder could not be followed; it is looked at again", e);
      }
    }
  }

  private WatchService watch() {
    if (folder.isEmpty()) {
      return null;
    }
    try {
      WatchService watch = FileSystems.getDefault().newWatchService();
      folder
          .get()
          .dir()
          .register(
              watch,
              StandardWatchEventKinds.ENTRY_CREATE,
              StandardWatchEventKinds.ENTRY_MODIFY,
              StandardWatchEventKinds.ENTRY_DELETE);
      return watch;
    } catch (IOException | UnsupportedOperationException e) {
      LOG.info("The module folder cannot be watched ({}); it is polled", e.toString());
      return null;
    }
  }

  /** Waits for a request, a hint of the file system or the time to look again. */
  private Request next(WatchService watch) throws InterruptedException {
    boolean unsettled =
        !lastLook.copying().isEmpty()
            || installed.values().stream().anyMatch(entry -> entry.absentLooks > 0);
    long until =
        System.nanoTime()
            + TimeUnit.MILLISECONDS.toNanos(
                unsettled
                    ? Math.min(settings.settleMillis(), settings.pollMillis())
                    : settings.pollMillis());
    while (!closed) {
      long left = until - System.nanoTime();
      if (left <= 0) {
        return null;
      }
      Request request =
          requests.poll(Math.min(left, TimeUnit.MILLISECONDS.toNanos(100)), TimeUnit.NANOSECONDS);
      if (request != null) {
        return request;
      }
      WatchKey key = watch == null ? null : watch.poll();
      if (key != null) {
        key.pollEvents();
        key.reset();
        if (!unsettled) {
          return null;
        }
      }
    }
    return null;
  }

  private void serve(Request request) {
    try {
      forgetUninstalled();
      Action action = request.change.get();
      publish();
      request.done.complete(action);
    } catch (RuntimeException e) {
      LOG.error("A change of the installed modules failed", e);
      request.done.completeExceptionally(e);
    }
  }

  /** What somebody else uninstalled is not there; what the folder still holds comes back. */
  private void forgetUninstalled() {
    for (Installed entry : List.copyOf(installed.values())) {
      if (entry.bundle.getState() == Bundle.UNINSTALLED) {
        LOG.warn(
            "{} was uninstalled by something else than deployment; while its jar is in the module"
                + " folder it is installed again",
            name(entry.bundle));
        installed.remove(entry.jar.symbolicName());
        discard(entry.kept);
      }
    }
  }

  /** Makes what is installed agree with the hot folder. */
  private void follow(ModuleFolder hot) {
    try {
      lastLook = hot.look(false);
    } catch (IOException e) {
      LOG.debug("The module folder {} cannot be read now", hot.dir(), e);
      return;
    }
    Map<String, ModuleJar> wanted = wanted(lastLook.jars());
    removedByRequest.retainAll(wanted.keySet());
    refused.keySet().removeIf(name -> !wanted.containsKey(name) && !installed.containsKey(name));
    for (Installed entry : List.copyOf(installed.values())) {
      followPresence(entry, wanted);
    }
    for (ModuleJar jar : wanted.values()) {
      if (removedByRequest.contains(jar.symbolicName())) {
        continue;
      }
      Installed entry = installed.get(jar.symbolicName());
      Refused last = refused.get(jar.symbolicName());
      if (entry != null && entry.jar.digest().equals(jar.digest())) {
        entry.jar = jar;
        entry.inFolder = true;
        refused.remove(jar.symbolicName());
      } else if (last == null || !last.jar.digest().equals(jar.digest())) {
        // While a file of the folder is being copied the one it replaces stays as it is.
        deploy(jar.path(), jar, true);
      }
    }
  }

  private void followPresence(Installed entry, Map<String, ModuleJar> wanted) {
    if (!entry.inFolder || wanted.containsKey(entry.jar.symbolicName())) {
      entry.absentLooks = 0;
      return;
    }
    boolean somethingComes =
        !lastLook.copying().isEmpty() || lastLook.unreadable().containsKey(entry.jar.path());
    if (entry.absentLooks == 0) {
      entry.absentSinceNanos = System.nanoTime();
    }
    entry.absentLooks++;
    long absent = System.nanoTime() - entry.absentSinceNanos;
    if (entry.absentLooks >= 2
        && !somethingComes
        && absent >= TimeUnit.MILLISECONDS.toNanos(settings.settleMillis())) {
      remove(entry, "its jar was deleted from the module folder");
    }
  }

  /** Of several jars with one symbolic name the one that came last; of those that came together
   * the highest version. */
  private static Map<String, ModuleJar> wanted(Collection<ModuleJar> jars) {
    Map<String, ModuleJar> wanted = new TreeMap<>();
    Comparator<ModuleJar> later =
        Comparator.comparingLong((ModuleJar jar) -> jar.arrivedMillis() / 1000)
            .thenComparing(ModuleJar::version)
            .thenComparingLong(ModuleJar::arrivedMillis);
    for (ModuleJar jar : jars) {
      wanted.merge(jar.symbolicName(), jar, (a, b) -> later.compare(a, b) >= 0 ? a : b);
    }
    return wanted;
  }

  // --- changes ---

  /** Installs, swaps or updates, whichever it takes; {@code content} holds the jar's bytes. */
  private Action deploy(Path content, ModuleJar jar, boolean inFolder) {
    Installed old = installed.get(jar.symbolicName());
    Action action;
    try {
      checkNotCore(jar);
      if (old == null) {
        action = installFresh(content, jar, inFolder);
      } else if (old.bundle.getVersion().equals(jar.version())) {
        action = updateInPlace(content, jar, old, inFolder);
      } else {
        action = swapRolling(content, jar, old, inFolder);
      }
    } catch (IOException | BundleException e) {
      refuse(jar, plain(e));
      action =
          record(
              Instant.now(),
              old == null ? Kind.INSTALL : Kind.SWAP,
              jar.symbolicName(),
              old == null ? "" : old.bundle.getVersion().toString(),
              jar.version().toString(),
              false,
              plain(e) + (old == null ? "" : "; what is installed stays"),
              Duration.ZERO);
    }
    if (action.succeeded()) {
      refused.remove(jar.symbolicName());
      removedByRequest.remove(jar.symbolicName());
      retryUnresolved();
    }
    publish();
    return action;
  }

  private void checkNotCore(ModuleJar jar) throws IOException {
    for (Bundle bundle : context.getBundles()) {
      if (jar.symbolicName().equals(bundle.getSymbolicName())
          && !bundle.getLocation().startsWith(LOCATION)) {
        throw new IOException(
            jar.symbolicName()
                + " is a core bundle of this host, which cannot be swapped; replace it in the"
                + " distribution's system folder and restart");
      }
    }
  }

  private Action installFresh(Path content, ModuleJar jar, boolean inFolder)
      throws IOException, BundleException {
    Instant begin = Instant.now();
    Installed entry = new Installed();
    entry.jar = jar;
    entry.inFolder = inFolder;
    entry.bundle = installBundle(content, jar);
    installed.put(jar.symbolicName(), entry);
    try {
      start(entry.bundle);
      Optional<String> failure = awaitHealthy(entry.bundle, Set.of());
      entry.state = failure.isEmpty() ? "active" : "failed";
      entry.problem = failure.orElse("");
    } catch (BundleException e) {
      describeFailure(entry, e);
    }
    keep(entry, content);
    return record(
        begin,
        Kind.INSTALL,
        jar.symbolicName(),
        "",
        jar.version().toString(),
        entry.problem.isEmpty(),
        entry.problem.isEmpty() ? "installed and started" : entry.problem,
        gap(entry.bundle.getBundleId(), leases.leases()));
  }

  private Action swapRolling(Path content, ModuleJar jar, Installed old, boolean inFolder)
      throws IOException, BundleException {
    Instant begin = Instant.now();
    String from = old.bundle.getVersion().toString();
    Set<Use> uses = uses(old.bundle.getBundleId());
    List<LeaseDescription> before = leases.leases();
    Bundle next = installBundle(content, jar);
    Optional<String> failure;
    try {
      start(next);
      failure = awaitHealthy(next, uses);
    } catch (BundleException e) {
      failure =
          Optional.of(
              next.getState() == Bundle.INSTALLED
                  ? "it cannot be resolved: " + Requirements.missing(context, next, plain(e))
                  : "it cannot be started: " + plain(e));
    }
    if (failure.isPresent()) {
      leases.readmit(old.bundle.getBundleId());
      retire(next);
      refuse(jar, failure.get());
      return record(
          begin,
          Kind.SWAP,
          jar.symbolicName(),
          from,
          jar.version().toString(),
          false,
          failure.get() + "; " + from + " stays",
          gap(old.bundle.getBundleId(), before));
    }
    retire(old.bundle);
    Installed entry = new Installed();
    entry.jar = jar;
    entry.inFolder = inFolder;
    entry.bundle = next;
    installed.put(jar.symbolicName(), entry);
    discard(old.kept);
    keep(entry, content);
    return record(
        begin,
        Kind.SWAP,
        jar.symbolicName(),
        from,
        jar.version().toString(),
        true,
        "the new version took over from the old one",
        gap(next.getBundleId(), before));
  }

  private Action updateInPlace(Path content, ModuleJar jar, Installed entry, boolean inFolder)
      throws IOException {
    Instant begin = Instant.now();
    long id = entry.bundle.getBundleId();
    String version = jar.version().toString();
    List<LeaseDescription> before = leases.leases();
    Set<Use> uses = uses(id);
    drain(id);
    Optional<String> failure = replaceContent(entry.bundle, content, uses);
    String outcome =
        "updated in place, because the version is the same; give it another version to swap without"
            + " a gap";
    if (failure.isPresent()) {
      refuse(jar, failure.get());
      outcome = failure.get();
      if (entry.kept != null) {
        drain(id);
        Optional<String> back = replaceContent(entry.bundle, entry.kept, uses);
        outcome +=
            back.map(problem -> "; what was there before does not start again: " + problem)
                .orElse("; what was there before is back");
        entry.state = back.isEmpty() ? "active" : "failed";
        entry.problem = back.orElse("");
      } else {
        entry.state = entry.bundle.getState() == Bundle.INSTALLED ? "unresolved" : "failed";
        entry.problem = failure.get();
        entry.jar = jar;
      }
    } else {
      entry.jar = jar;
      entry.inFolder = inFolder;
      entry.state = "active";
      entry.problem = "";
      keep(entry, content);
    }
    leases.readmit(id);
    return record(
        begin,
        Kind.UPDATE,
        jar.symbolicName(),
        version,
        version,
        failure.isEmpty(),
        outcome,
        gap(id, before));
  }

  private Optional<String> replaceContent(Bundle bundle, Path content, Set<Use> uses)
      throws IOException {
    try (InputStream in = Files.newInputStream(content)) {
      bundle.stop(Bundle.STOP_TRANSIENT);
      bundle.update(in);
      refreshRemoved();
      leases.readmit(bundle.getBundleId());
      start(bundle);
      return awaitHealthy(bundle, uses);
    } catch (BundleException e) {
      return Optional.of(
          bundle.getState() == Bundle.INSTALLED
              ? "it cannot be resolved: " + Requirements.missing(context, bundle, plain(e))
              : "it cannot be started: " + plain(e));
    }
  }

  private Action remove(Installed entry, String why) {
    Instant begin = Instant.now();
    String name = entry.jar.symbolicName();
    String version = entry.bundle.getVersion().toString();
    String outcome = why;
    boolean succeeded = true;
    try {
      retire(entry.bundle);
      installed.remove(name);
      discard(entry.kept);
    } catch (BundleException e) {
      succeeded = false;
      outcome = "it cannot be removed: " + plain(e);
      entry.state = "failed";
      entry.problem = outcome;
    }
    return record(begin, Kind.UNINSTALL, name, version, "", succeeded, outcome, Duration.ZERO);
  }

  /** Drains a bundle, so that nothing is lost by stopping it, and removes it. */
  private void retire(Bundle bundle) throws BundleException {
    long id = bundle.getBundleId();
    drain(id);
    try {
      bundle.stop(Bundle.STOP_TRANSIENT);
    } catch (BundleException e) {
      LOG.warn("{} does not stop in order; it is removed all the same", name(bundle), e);
    }
    bundle.uninstall();
    refreshRemoved();
    leases.readmit(id);
  }

  /** Only bundles that others are wired to linger; modules export nothing, so this is rare. */
  private void refreshRemoved() {
    FrameworkWiring wiring = context.getBundle(0).adapt(FrameworkWiring.class);
    if (!wiring.getRemovalPendingBundles().isEmpty()) {
      wiring.refreshBundles(null);
    }
  }

  private void drain(long bundleId) {
    Duration deadline = Duration.ofMillis(settings.drainTimeoutMillis());
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

  private Bundle installBundle(Path content, ModuleJar jar) throws IOException, BundleException {
    String location = LOCATION + jar.symbolicName() + "/" + jar.version() + "/" + ++locations;
    try (InputStream in = Files.newInputStream(content)) {
      Bundle bundle = context.installBundle(location, in);
      // Stopped before this one and after the daemons, which are of a later level.
      int level = context.getBundle().adapt(BundleStartLevel.class).getStartLevel();
      bundle.adapt(BundleStartLevel.class).setStartLevel(level);
      return bundle;
    }
  }

  private static void start(Bundle bundle) throws BundleException {
    // Transient: otherwise the start level thread would try to start it, too, and log its failure.
    bundle.start(Bundle.START_TRANSIENT | Bundle.START_ACTIVATION_POLICY);
  }

  private void retryUnresolved() {
    for (Installed entry : installed.values()) {
      if (entry.state.equals("unresolved")) {
        try {
          start(entry.bundle);
          entry.state = "active";
          entry.problem = "";
          LOG.info("{} can be resolved now and was started", name(entry.bundle));
        } catch (BundleException e) {
          describeFailure(entry, e);
        }
      }
    }
  }

  // --- health ---

  /** A daemon's use of one module of a bundle. */
  private record Use(String daemon, String kind, String name) {}

  private Set<Use> uses(long bundleId) {
    Set<Use> uses = new HashSet<>();
    for (ModuleDescription module : leases.modules()) {
      if (module.bundleId() == bundleId) {
        module.daemons().forEach(daemon -> uses.add(new Use(daemon, module.kind(), module.name())));
      }
    }
    return uses;
  }

  /**
   * Waits until the modules that a started bundle declares are registered, hold what its predecessor
   * held, and stay healthy for a while.
   *
   * @return what is wrong; empty when all is well
   */
  private Optional<String> awaitHealthy(Bundle bundle, Set<Use> uses) {
    long begin = System.nanoTime();
    long timeout = TimeUnit.MILLISECONDS.toNanos(settings.startTimeoutMillis());
    long probation = TimeUnit.MILLISECONDS.toNanos(settings.probationMillis());
    long healthySince = 0;
    Set<String> declared = declared(bundle);
    while (true) {
      long now = System.nanoTime();
      Optional<String> bad = quarantine(bundle);
      if (bad.isPresent()) {
        return bad;
      }
      Optional<String> waiting = notReady(bundle, declared, uses);
      if (waiting.isEmpty()) {
        if (healthySince == 0) {
          healthySince = now;
        }
        // What no daemon uses cannot show how it behaves.
        if (uses(bundle.getBundleId()).isEmpty()) {
          return Optional.empty();
        }
        long over = now - healthySince - probation;
        if (over >= 0) {
          Optional<String> stuck = stuck(bundle, Duration.ofNanos(over));
          if (stuck.isEmpty()) {
            return Optional.empty();
          }
          if (now - begin >= timeout) {
            return stuck;
          }
        }
      } else {
        healthySince = 0;
        if (now - begin >= timeout) {
          return Optional.of(
              waiting.get() + " within " + settings.startTimeoutMillis() + " ms");
        }
      }
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Optional.of("the host is stopping");
      }
    }
  }

  private Optional<String> quarantine(Bundle bundle) {
    return leases.quarantined().stream()
        .filter(module -> module.bundleId() == bundle.getBundleId())
        .map(module -> module.kind() + " '" + module.name() + "' failed: " + module.problem())
        .findFirst();
  }

  /** A call into the bundle that has run for longer than that, where calls are made one by one. */
  private Optional<String> stuck(Bundle bundle, Duration longer) {
    return leases.leases().stream()
        .filter(lease -> lease.busy().compareTo(longer) > 0)
        .filter(
            lease -> lease.holder().filter(h -> h.bundleId() == bundle.getBundleId()).isPresent())
        .map(
            lease ->
                String.format(
                    "%s '%s' has not returned from a call of %s for %d ms",
                    lease.kind(), lease.name(), lease.daemon(), lease.busy().toMillis()))
        .findFirst();
  }

  private Optional<String> notReady(Bundle bundle, Set<String> declared, Set<Use> uses) {
    Map<String, ModuleDescription> registered = new HashMap<>();
    for (ModuleDescription module : leases.modules()) {
      if (module.bundleId() == bundle.getBundleId()) {
        registered.put(module.kind() + " " + module.name(), module);
      }
    }
    for (String module : declared) {
      ModuleDescription description = registered.get(module);
      if (description == null) {
        return Optional.of(module + " was not registered" + unsatisfied(bundle));
      }
      if (description.state().equals("opening")) {
        return Optional.of(module + " did not open");
      }
    }
    for (Use use : uses) {
      ModuleDescription description = registered.get(use.kind + " " + use.name);
      if (description != null && !description.daemons().contains(use.daemon)) {
        return Optional.of(use.kind + " " + use.name + " was not taken over by " + use.daemon);
      }
    }
    return Optional.empty();
  }

  /** The modules that the bundle's components declare and that need no configuration. */
  private Set<String> declared(Bundle bundle) {
    Set<String> declared = new HashSet<>();
    for (ComponentDescriptionDTO component : components.getComponentDescriptionDTOs(bundle)) {
      Object kind = component.properties.get("mezzo.module.kind");
      Object name = component.properties.get("mezzo.module.name");
      if (kind != null
          && name != null
          && component.defaultEnabled
          && !component.configurationPolicy.equals("require")) {
        declared.add(kind + " " + name);
      }
    }
    return declared;
  }

  private String unsatisfied(Bundle bundle) {
    List<String> reasons = new ArrayList<>();
    for (ComponentDescriptionDTO component : components.getComponentDescriptionDTOs(bundle)) {
      for (ComponentConfigurationDTO configuration :
          components.getComponentConfigurationDTOs(component)) {
        for (UnsatisfiedReferenceDTO reference : configuration.unsatisfiedReferences) {
          reasons.add(component.name + " waits for the service of its reference " + reference.name);
        }
        if (configuration.failure != null) {
          reasons.add(component.name + " failed: " + configuration.failure.lines().findFirst().get());
        }
      }
    }
    return reasons.isEmpty() ? "" : " (" + String.join("; ", reasons) + ")";
  }

  /** The longest vacancy of the leases that a bundle holds and that changed since. */
  private Duration gap(long bundleId, List<LeaseDescription> before) {
    Map<Use, Long> epochs = new HashMap<>();
    before.forEach(
        lease ->
            epochs.put(new Use(lease.daemon(), lease.kind(), lease.name()), lease.epoch()));
    return leases.leases().stream()
        .filter(lease -> lease.holder().filter(h -> h.bundleId() == bundleId).isPresent())
        .filter(
            lease ->
                !Objects.equals(
                    epochs.get(new Use(lease.daemon(), lease.kind(), lease.name())),
                    lease.epoch()))
        .map(LeaseDescription::gap)
        .max(Comparator.naturalOrder())
        .orElse(Duration.ZERO);
  }

  // --- copies, so that an update in place can be taken back ---

  private void keepCopies() {
    for (Installed entry : installed.values()) {
      keep(entry, entry.jar.path());
    }
  }

  private void keep(Installed entry, Path content) {
    Path copy = context.getDataFile(entry.jar.digest() + ".jar").toPath();
    try {
      if (!Files.exists(copy)) {
        Path partial = context.getDataFile(entry.jar.digest() + ".part").toPath();
        Files.copy(content, partial, StandardCopyOption.REPLACE_EXISTING);
        Files.move(partial, copy, StandardCopyOption.ATOMIC_MOVE);
      }
      if (entry.kept != null && !entry.kept.equals(copy)) {
        discard(entry.kept);
      }
      entry.kept = copy;
    } catch (IOException e) {
      LOG.warn("{} cannot be kept; an update of it in place could not be taken back", content, e);
    }
  }

  private static void discard(Path kept) {
    if (kept != null) {
      try {
        Files.deleteIfExists(kept);
      } catch (IOException e) {
        LOG.debug("{} stays", kept, e);
      }
    }
  }

  // --- requests ---

  @Override
  public CompletionStage<Action> install(Path jar) {
    return request(() -> installRequested(jar, jar.getFileName().toString(), false));
  }

  @Override
  public CompletionStage<Action> swap(Path jar) {
    return request(() -> installRequested(jar, jar.getFileName().toString(), true));
  }

  @Override
  public CompletionStage<Action> install(String fileName, InputStream jar) throws IOException {
    String name = Path.of(fileName).getFileName().toString();
    Path received = Files.createTempFile("mezzo-module", ".jar");
    try {
      Files.copy(jar, received, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      discard(received);
      throw e;
    }
    return request(() -> installRequested(received, name, false))
        .whenComplete((action, failure) -> discard(received));
  }

  @Override
  public CompletionStage<Action> uninstall(String symbolicName) {
    return request(() -> uninstallRequested(symbolicName));
  }

  private CompletionStage<Action> request(Supplier<Action> change) {
    CompletableFuture<Action> done = new CompletableFuture<>();
    if (closed) {
      done.completeExceptionally(new IllegalStateException("The host is stopping"));
    } else {
      requests.add(new Request(change, done));
    }
    return done.minimalCompletionStage();
  }

  private Action installRequested(Path source, String fileName, boolean mustExist) {
    Instant begin = Instant.now();
    ModuleJar jar;
    try {
      jar = ModuleJar.read(source, begin.toEpochMilli());
    } catch (IOException e) {
      return record(
          begin,
          mustExist ? Kind.SWAP : Kind.INSTALL,
          fileName,
          "",
          "",
          false,
          source + " cannot be installed: " + plain(e),
          Duration.ZERO);
    }
    Installed old = installed.get(jar.symbolicName());
    if (mustExist && old == null) {
      return record(
          begin,
          Kind.SWAP,
          jar.symbolicName(),
          "",
          jar.version().toString(),
          false,
          "no installed module has that symbolic name; install it instead",
          Duration.ZERO);
    }
    if (old != null && old.problem.isEmpty() && old.jar.digest().equals(jar.digest())) {
      return record(
          begin,
          Kind.INSTALL,
          jar.symbolicName(),
          jar.version().toString(),
          jar.version().toString(),
          true,
          "exactly this jar is installed already",
          Duration.ZERO);
    }
    Action action = deploy(source, jar, false);
    if (!action.succeeded() || folder.isEmpty()) {
      return action;
    }
    try {
      intoFolder(source, jar, fileName);
      return action;
    } catch (IOException | UncheckedIOException e) {
      LOG.warn(
          "{} runs, but cannot be kept in {}: it will be gone after a restart",
          jar.symbolicName(),
          folder.get().dir(),
          e);
      return action;
    }
  }

  /** Makes the folder say what is installed: the new jar, and no other of that symbolic name. */
  private void intoFolder(Path source, ModuleJar jar, String fileName) throws IOException {
    ModuleFolder hot = folder.orElseThrow();
    Path dir = hot.dir();
    List<ModuleJar> siblings = new ArrayList<>();
    boolean taken = false;
    for (ModuleJar present : hot.readable()) {
      if (present.symbolicName().equals(jar.symbolicName())) {
        siblings.add(present);
      } else {
        taken |= present.fileName().equals(fileName);
      }
    }
    Path target =
        dir.resolve(
            taken || !fileName.endsWith(".jar")
                ? jar.symbolicName() + "-" + jar.version() + ".jar"
                : fileName);
    if (!target.equals(source.toAbsolutePath())) {
      Path partial = dir.resolve("." + target.getFileName() + ".part");
      Files.copy(source, partial, StandardCopyOption.REPLACE_EXISTING);
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    }
    Installed entry = installed.get(jar.symbolicName());
    entry.jar =
        new ModuleJar(target, jar.symbolicName(), jar.version(), jar.arrivedMillis(), jar.digest());
    entry.inFolder = true;
    for (ModuleJar sibling : siblings) {
      if (!sibling.path().equals(target)) {
        Files.deleteIfExists(sibling.path());
      }
    }
  }

  private Action uninstallRequested(String symbolicName) {
    Installed entry = installed.get(symbolicName);
    if (entry == null) {
      return record(
          Instant.now(),
          Kind.UNINSTALL,
          symbolicName,
          "",
          "",
          false,
          "no module bundle has that symbolic name; installed are "
              + String.join(", ", installed.keySet()),
          Duration.ZERO);
    }
    removedByRequest.add(symbolicName);
    return remove(entry, folder.map(hot -> deleteJars(hot, symbolicName)).orElse("removed"));
  }

  private static String deleteJars(ModuleFolder hot, String symbolicName) {
    try {
      for (ModuleJar jar : hot.readable()) {
        if (jar.symbolicName().equals(symbolicName)) {
          Files.deleteIfExists(jar.path());
        }
      }
      return "removed";
    } catch (IOException e) {
      LOG.warn("The jar of {} cannot be deleted from {}", symbolicName, hot.dir(), e);
      return "removed, but its jar in " + hot.dir() + " stays: after a restart it is back";
    }
  }

  // --- the ledger ---

  private void refuse(ModuleJar jar, String problem) {
    refused.put(jar.symbolicName(), new Refused(jar, problem));
  }

  private Action record(
      Instant begin,
      Kind kind,
      String symbolicName,
      String from,
      String to,
      boolean succeeded,
      String outcome,
      Duration gap) {
    Action action =
        new Action(
            begin,
            kind,
            symbolicName,
            from,
            to,
            succeeded,
            outcome,
            Duration.between(begin, Instant.now()),
            gap);
    synchronized (history) {
      history.addFirst(action);
      while (history.size() > HISTORY) {
        history.removeLast();
      }
    }
    if (succeeded) {
      LOG.info(
          "{} {} {}{}: {} ({} ms, gap {} ms)",
          kind.name().toLowerCase(java.util.Locale.ROOT),
          symbolicName,
          from.isEmpty() || from.equals(to) || to.isEmpty() ? "" : from + " -> ",
          to.isEmpty() ? from : to,
          outcome,
          action.took().toMillis(),
          gap.toMillis());
    } else {
      LOG.error(
          "{} {} {} failed: {}",
          kind.name().toLowerCase(java.util.Locale.ROOT),
          symbolicName,
          to,
          outcome);
    }
    return action;
  }

  private void publish() {
    List<Deployment> ledger = new ArrayList<>();
    for (Installed entry : installed.values()) {
      Refused better = refused.get(entry.jar.symbolicName());
      if (entry.modules.isEmpty()) {
        entry.modules = declared(entry.bundle).stream().sorted().toList();
      }
      String problem = entry.problem;
      if (better != null && !better.jar.digest().equals(entry.jar.digest())) {
        problem =
            better.jar.version()
                + " in "
                + better.jar.fileName()
                + " was refused: "
                + better.problem;
      }
      ledger.add(
          new Deployment(
              entry.jar.symbolicName(),
              entry.bundle.getVersion().toString(),
              entry.inFolder ? entry.jar.fileName() : "",
              entry.state,
              problem,
              entry.bundle.getBundleId(),
              entry.modules));
    }
    for (Refused jar : refused.values()) {
      if (!installed.containsKey(jar.jar.symbolicName())) {
        ledger.add(
            new Deployment(
                jar.jar.symbolicName(),
                jar.jar.version().toString(),
                jar.jar.fileName(),
                "failed",
                jar.problem,
                -1,
                List.of()));
      }
    }
    for (ModuleJar jar : lastLook.jars()) {
      Installed entry = installed.get(jar.symbolicName());
      if (entry != null && entry.inFolder && !entry.jar.path().equals(jar.path())
          && (refused.get(jar.symbolicName()) == null
              || !refused.get(jar.symbolicName()).jar.path().equals(jar.path()))) {
        ledger.add(
            new Deployment(
                jar.symbolicName(),
                jar.version().toString(),
                jar.fileName(),
                "superseded",
                "a jar with the same symbolic name came later; delete one of them",
                -1,
                List.of()));
      }
    }
    lastLook
        .unreadable()
        .forEach(
            (file, problem) ->
                ledger.add(
                    new Deployment(
                        file.getFileName().toString(),
                        "",
                        file.getFileName().toString(),
                        "unreadable",
                        problem,
                        -1,
                        List.of())));
    published = List.copyOf(ledger);
  }

  @Override
  public List<Deployment> list() {
    return published;
  }

  @Override
  public List<Action> history() {
    synchronized (history) {
      return List.copyOf(history);
    }
  }

  @Override
  public Optional<Path> folder() {
    return folder.map(ModuleFolder::dir);
  }

  private static String name(Bundle bundle) {
    return bundle.getSymbolicName() + " " + bundle.getVersion();
  }

  private static String plain(Exception e) {
    Throwable cause = e;
    while (cause instanceof BundleException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }
}

package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.Shipped;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.Verification;
import org.mezzo.deployment.folder.ModuleFolder;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.StateFolder;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that changes which module bundles are installed: it follows the module folder and
 * serves requests.
 *
 * <p>What the hot folder held when the host starts is installed by the thread that activates this
 * component, so that daemons of a later start level find their modules.
 */
@Component(service = Deployments.class, immediate = true, configurationPid = "org.mezzo.deployment")
@Designate(ocd = Settings.class)
public final class BundleDeployments implements Deployments {
  private static final Logger LOG = LoggerFactory.getLogger(BundleDeployments.class);
  private static final String FOLDER_PROPERTY = "mezzo.modules.dir";
  private static final String STATE_PROPERTY = "mezzo.deployment.dir";

  /** How long the process before this one may take to end; its own limit is shorter as a rule. */
  private static final Duration PREDECESSOR = Duration.ofSeconds(15);

  /** How long to do nothing after something unexpected. */
  private static final long PAUSE_MILLIS = 100;

  /** The runtime of components tries again for whoever asks for the service. */
  private static volatile boolean waitedInVain;

  /** What is to be done on deployment's thread, and whoever waits for what comes of it. */
  private record Request<T>(Supplier<T> change, CompletableFuture<T> done) {
    void serve(Runnable then) {
      T made = change.get();
      then.run();
      done.complete(made);
    }
  }

  private final ModuleLeases leases;
  private final StateFolder state;
  private final Signatures signatures;
  private final Wiring wiring;
  private final ModuleBundles bundles;
  private final Ledger ledger;
  private final History history;
  private final Changes changes;
  private final Rehearsal rehearsal;
  private final Trials trials;
  private final Optional<ModuleFolder> folder;
  private final Optional<FolderFollower> follower;
  private final RequestedChanges requested;
  private final Parameters parameters;
  private final LinkedBlockingQueue<Request<?>> requests = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final Thread atExit = new Thread(this::witnessExit, "mezzo-deployment-exit");
  private volatile Settings settings;
  private volatile boolean closed;
  private volatile boolean ending;
  private volatile boolean ended;

  /** What went wrong at the last look, so that it is said once; empty when nothing did. */
  private String trouble = "";

  /** The last action after which bundles were deleted that nothing needed; and what was needed. */
  private long tidied;

  private Set<String> kept = Set.of();

  @Activate
  public BundleDeployments(
      BundleContext context,
      @Reference ModuleLeases leases,
      @Reference ServiceComponentRuntime components,
      Settings settings) {
    this(context, leases, components, settings, Admission.KINDS);
  }

  BundleDeployments(
      BundleContext context,
      ModuleLeases leases,
      ServiceComponentRuntime components,
      Settings settings,
      Map<String, String> kinds) {
    this.settings = settings;
    Supplier<Settings> current = () -> this.settings;
    state = openState(context);
    signatures = signatures(context, state);
    wiring = new Wiring(context);
    history = new History(state.journal());
    DeclaredModules modules = new DeclaredModules(components);
    Uses uses = new Uses(leases);
    Probation probation = new Probation(leases, modules, uses, current);
    ledger = new Ledger(modules, state.journal(), signatures::isShipped, () -> closed || ending);
    bundles = new ModuleBundles(context, state.journal(), leases, wiring, current);
    rehearsal =
        new Rehearsal(
            context,
            bundles,
            leases,
            state.journal(),
            state.folder().resolve("rehearsal"),
            current);
    Installation installation =
        new Installation(
            bundles, probation, rehearsal, uses, leases, state, signatures, ledger, history);
    parameters =
        new Parameters(context, leases, rehearsal, probation, uses, state.journal(), history);
    parameters.restore();
    bundles.removeLeftovers();
    RollingSwap rollingSwap =
        new RollingSwap(bundles, probation, rehearsal, uses, leases, state.store(), ledger);
    changes =
        new Changes(
            bundles,
            new Admission(context, signatures, kinds),
            installation,
            rollingSwap,
            new InPlaceUpdate(bundles, probation, rollingSwap, uses, leases, ledger, history),
            uses,
            leases,
            state,
            ledger,
            history);
    trials = new Trials(ledger, bundles, probation, rehearsal, uses, changes, state, current);
    String dir = context.getProperty(FOLDER_PROPERTY);
    folder =
        dir == null || dir.isBlank()
            ? Optional.empty()
            : Optional.of(
                new ModuleFolder(
                    Path.of(dir).toAbsolutePath(), Duration.ofMillis(settings.settleMillis())));
    follower =
        folder.map(
            hot ->
                new FolderFollower(hot, ledger, installation, changes, state.journal(), current));
    requested =
        new RequestedChanges(folder, ledger, changes, bundles, installation, state, history);
    Runtime.getRuntime().addShutdownHook(atExit);
    state.journal().lazy(true);
    installation.skipDeadly();
    this.leases = leases;
    leases.rehearse(rehearsal);
    follower.ifPresent(FolderFollower::installFirst);
    ledger.publish();
    thread = new Thread(this::run, "mezzo-deployment");
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    thread.start();
  }

  /**
   * Without what was decided before nothing may run: it could be what ended the process before this
   * one.
   */
  private static StateFolder openState(BundleContext context) {
    String dir = context.getProperty(STATE_PROPERTY);
    Path place =
        dir == null || dir.isBlank()
            ? context.getDataFile("state").toPath()
            : Path.of(dir).toAbsolutePath();
    try {
      return StateFolder.open(place, waitedInVain ? Duration.ZERO : PREDECESSOR);
    } catch (IOException e) {
      waitedInVain = true;
      throw new UncheckedIOException(
          "What was decided about modules is not known: " + e.getMessage(), e);
    }
  }

  /** Where it is not known whom to trust nobody is. */
  private static Signatures signatures(BundleContext context, StateFolder state) {
    try {
      return Signatures.of(context, state);
    } catch (UncheckedIOException e) {
      state.close();
      throw e;
    }
  }

  /** The process ends: a guest that did it is skipped next time; no other has done any harm. */
  private void witnessExit() {
    // What fails or hangs from now on does so because the process ends.
    ending = true;
    Map<Bundle, ModuleJar> guests = bundles.contents();
    Predicate<String> guest =
        type -> guests.keySet().stream().anyMatch(bundle -> holds(bundle, type));
    ExitWitness.culprit(Thread.getAllStackTraces(), guest)
        .ifPresent(
            culprit ->
                suspects(guests, culprit)
                    .forEach(jar -> ledger.convict(jar, culprit + " called System.exit")));
    state.journal().survivedAll();
  }

  private Collection<ModuleJar> suspects(Map<Bundle, ModuleJar> guests, String culprit) {
    Map<Bundle, ModuleJar> holders = new HashMap<>(guests);
    holders.keySet().removeIf(bundle -> !holds(bundle, culprit));
    Set<Bundle> serving =
        ledger.installed().stream().map(entry -> entry.bundle).collect(Collectors.toSet());
    return ExitWitness.suspects(holders, state.journal().trials(), serving);
  }

  private static boolean holds(Bundle bundle, String type) {
    return bundle.getEntry(type.replace('.', '/') + ".class") != null;
  }

  @Modified
  void modified(Settings changed) {
    settings = changed;
  }

  @Deactivate
  void deactivate() throws InterruptedException {
    closed = true;
    leases.rehearse(ModuleLeases.Rehearsals.NONE);
    thread.interrupt();
    thread.join(2_000);
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
      state.journal().survivedAll();
    } catch (IllegalStateException e) {
      // The process is ending, and the hook has seen why or is about to.
      atExit.join(2_000);
    }
    state.close();
    wiring.close();
    failQueued();
  }

  private void run() {
    try (FolderWatch watch =
        folder.map(hot -> FolderWatch.of(hot.dir())).orElseGet(FolderWatch::none)) {
      secureFirst();
      while (!closed) {
        workOn(watch);
      }
    } catch (InterruptedException e) {
      LOG.debug("Deployment ends");
    } catch (IOException e) {
      LOG.warn("The watch of the module folder does not close", e);
    } finally {
      ended = true;
      failQueued();
    }
  }

  /** One request or one look; whatever fails, the next one is served. */
  private void workOn(FolderWatch watch) throws InterruptedException {
    try {
      Request<?> request = next(watch);
      if (request != null) {
        serve(request);
      }
      forgetUninstalled();
      follower.ifPresent(FolderFollower::follow);
      trials.watch();
      ledger.publish();
      tidy();
      trouble = "";
    } catch (RuntimeException | Error e) {
      if (closed) {
        return;
      }
      if (trouble.equals(e.toString())) {
        LOG.debug("The module folder could not be followed once more", e);
      } else {
        trouble = e.toString();
        LOG.error("The module folder could not be followed; it is looked at again", e);
      }
      // Not at once: what fails at every look would do nothing else.
      Thread.sleep(PAUSE_MILLIS);
    }
  }

  /** What the start has put off: a start has no time to wait for a disk. */
  private void secureFirst() {
    try {
      for (Installed entry : ledger.installed()) {
        state.store().force(entry.jar.digest());
      }
    } catch (IOException | RuntimeException | Error e) {
      LOG.warn("What runs may not be there after a failure of this machine: {}", e.toString());
    }
    state.journal().lazy(false);
  }

  /**
   * Deletes bundles that nothing needs any more, when something was done since the last time or
   * something else is needed.
   */
  private void tidy() {
    long last = history.list().stream().mapToLong(Action::id).max().orElse(0);
    Set<String> needed = new HashSet<>(ledger.digests());
    needed.addAll(state.journal().digests());
    if (last == tidied && needed.equals(kept)) {
      return;
    }
    tidied = last;
    kept = needed;
    try {
      state.store().retain(needed);
    } catch (IOException e) {
      LOG.warn("{} keeps bundles that nothing needs: {}", state.folder(), e.toString());
    }
  }

  /** Waits for a request, a hint of the file system or the time to look again. */
  private Request<?> next(FolderWatch watch) throws InterruptedException {
    boolean unsettled = follower.filter(FolderFollower::unsettled).isPresent();
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
      Request<?> request =
          requests.poll(Math.min(left, TimeUnit.MILLISECONDS.toNanos(100)), TimeUnit.NANOSECONDS);
      if (request != null) {
        return request;
      }
      if (rehearsal.hasNews() || watch.changed() && !unsettled) {
        return null;
      }
    }
    return null;
  }

  private void serve(Request<?> request) {
    try {
      forgetUninstalled();
      request.serve(ledger::publish);
    } catch (RuntimeException | Error e) {
      request.done.completeExceptionally(
          new IllegalStateException(
              "The change failed unexpectedly ("
                  + e
                  + "), as the log tells; what runs now is what 'deployments' says",
              e));
      LOG.error("A change of the installed modules failed", e);
    }
  }

  /** Nobody serves them any more. */
  private void failQueued() {
    for (Request<?> request = requests.poll(); request != null; request = requests.poll()) {
      request.done.completeExceptionally(
          new IllegalStateException(
              closed
                  ? "The host is stopping"
                  : "Deployment has ended in this process, as the log tells; restart it"));
    }
  }

  /** What somebody else uninstalled is not there; what the folder still holds comes back. */
  private void forgetUninstalled() {
    for (Installed entry : ledger.installed()) {
      if (entry.bundle.getState() == Bundle.UNINSTALLED) {
        changes.settle(entry.succession);
        LOG.warn(
            "{} was uninstalled by something else than deployment; while its jar is in the module"
                + " folder it is installed again",
            Reasons.name(entry.bundle));
        ledger.vacate(entry);
      }
    }
  }

  @Override
  public CompletionStage<Action> install(Path jar, String principal) {
    String name = checkedName(jar);
    return request(() -> requested.install(jar, name, Set.of(), principal));
  }

  @Override
  public CompletionStage<Action> install(
      Path jar, String fileName, Set<Condition> conditions, String principal) {
    String name = Deployments.checkedName(fileName);
    Set<Condition> all = Set.copyOf(conditions);
    return request(() -> requested.install(jar, name, all, principal));
  }

  @Override
  public CompletionStage<Action> rollback(String symbolicName, String principal) {
    return request(() -> requested.rollback(symbolicName, principal));
  }

  @Override
  public CompletionStage<Verification> verify(Path jar, String fileName) {
    return request(() -> requested.verify(jar, fileName));
  }

  private static String checkedName(Path jar) {
    return Deployments.checkedName(Objects.toString(jar.getFileName(), ""));
  }

  @Override
  public CompletionStage<Action> install(String fileName, InputStream jar, String principal)
      throws IOException {
    String name = Deployments.checkedName(fileName);
    Path received = Files.createTempFile("mezzo-module", ".jar");
    try {
      Files.copy(jar, received, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      discard(received);
      throw e;
    }
    return request(() -> requested.install(received, name, Set.of(), principal))
        .whenComplete((action, failure) -> discard(received));
  }

  private static void discard(Path received) {
    try {
      Files.deleteIfExists(received);
    } catch (IOException e) {
      LOG.debug("{} stays", received, e);
    }
  }

  @Override
  public CompletionStage<Action> configure(
      String module, Map<String, String> set, Set<String> unset, String principal) {
    Map<String, String> values = Map.copyOf(set);
    Set<String> names = Set.copyOf(unset);
    return request(() -> parameters.change(module, values, names, principal));
  }

  @Override
  public Action noteLogLevel(
      String logger, String from, String to, String principal, String outcome) {
    return history
        .begin(Action.Kind.LOG_LEVEL, principal, logger, from, to)
        .end(true, outcome, Duration.ZERO);
  }

  @Override
  public CompletionStage<Action> uninstall(String symbolicName, String principal) {
    return request(() -> requested.uninstall(symbolicName, principal));
  }

  private <T> CompletionStage<T> request(Supplier<T> change) {
    CompletableFuture<T> done = new CompletableFuture<>();
    requests.add(new Request<>(change, done));
    if (closed || ended) {
      failQueued();
    }
    return done.minimalCompletionStage();
  }

  @Override
  public List<Deployment> list() {
    return ledger.list();
  }

  @Override
  public List<Action> history() {
    return history.list();
  }

  @Override
  public List<String> leaks() {
    return bundles.leaks();
  }

  @Override
  public List<Shipped> shipped() {
    return signatures.shipped();
  }

  @Override
  public List<Verdict> verdicts() {
    return state.journal().verdicts();
  }

  @Override
  public Optional<Path> folder() {
    return folder.map(ModuleFolder::dir);
  }
}

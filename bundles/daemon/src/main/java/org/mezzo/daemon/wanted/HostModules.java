package org.mezzo.daemon.wanted;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.daemon.Versions;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.Verdict;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.link.messages.WantedModule;
import org.mezzo.link.messages.WantedModules;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the module bundles of the process to what the cluster wants, by way of {@link
 * Deployments}, and says how far that is. There is one of a process, for its daemons share what is
 * installed. What one of its agents was told last holds for all agents; with what its masters were
 * told it makes one set, in which the word of who was told last goes first. Methods are safe for
 * any thread; the work is done on a thread of its own, which is there from when something is
 * wanted.
 */
@Component(service = HostModules.class)
public final class HostModules implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HostModules.class);
  private static final String STATE_PROPERTY = "mezzo.deployment.dir";
  private static final String HOME_PROPERTY = "mezzo.home";
  private static final String PRINCIPAL = "rollout ";

  /** Who changes bundles without it being anybody's wish for this host. */
  private static final Set<String> NOBODY = Set.of("host", "deployment");

  /** How often to look what somebody else did, and how modules are. */
  private static final long LOOK_MILLIS = 500;

  /** Where jars come from. */
  @FunctionalInterface
  public interface Source {
    /**
     * The bytes of a jar.
     *
     * @return fails with an {@link IOException} with a message for people; is cancelled when it
     *     cannot come from there any more and will be asked for again
     */
    CompletionStage<ByteString> jar(String sha256, long size);
  }

  /** What daemons of one role were told last. */
  private record Told(WantedModules wanted, Source source) {}

  /** Told on the thread of this; must hand over at once. */
  @FunctionalInterface
  public interface Listener {
    /** How far the host is has changed. */
    void changed();
  }

  private final Deployments deployments;
  private final ModuleLeases leases;
  private final Path folder;
  private final String setup;
  private final String hostId;
  private final ScheduledThreadPoolExecutor thread;
  private final Map<Listener, Role> listeners = new ConcurrentHashMap<>();

  /** How far the host is, of whom something is wanted, by whom it is wanted of. */
  private volatile Map<Role, ModuleStatus> statuses = Map.of();

  // The rest is for the thread only.
  private HostRecord record;
  private final Map<Role, Told> told = new EnumMap<>(Role.class);

  /** What they were told makes together; of the generation of who was told last. */
  private WantedModules wanted = WantedModules.getDefaultInstance();

  /** Where the jar comes from, by symbolic name. */
  private Map<String, Source> sources = Map.of();

  private ScheduledFuture<?> looks;

  /** The symbolic name that is being changed now; empty when none is. */
  private Optional<String> changing = Optional.empty();

  /** What became of what was tried in this generation, by symbolic name. */
  private final Map<String, String> failures = new HashMap<>();

  /** What was installed for this generation; what is not there any more then is not fought for. */
  private final Set<String> done = new HashSet<>();

  @Activate
  public HostModules(
      BundleContext context, @Reference Deployments deployments, @Reference ModuleLeases leases) {
    this(
        folder(context),
        context.getProperty(HOME_PROPERTY) + " " + Versions.MEZZO,
        deployments,
        leases);
  }

  /**
   * One that remembers in a folder.
   *
   * @param folder for what is remembered; made when something is wanted
   * @param setup names what the host was set up with
   */
  public HostModules(Path folder, String setup, Deployments deployments, ModuleLeases leases) {
    this.folder = folder;
    this.setup = setup;
    this.deployments = deployments;
    this.leases = leases;
    hostId = processId();
    thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread made = new Thread(task, "mezzo-host-modules");
              made.setDaemon(true);
              made.setContextClassLoader(null);
              return made;
            });
    thread.setRemoveOnCancelPolicy(true);
  }

  private static Path folder(BundleContext context) {
    String dir = context.getProperty(STATE_PROPERTY);
    Path place =
        dir == null || dir.isBlank() ? context.getDataFile("deployment").toPath() : Path.of(dir);
    return place.toAbsolutePath().resolve("cluster");
  }

  /** The same for everything in this process, and for nothing else. */
  private static String processId() {
    ProcessHandle self = ProcessHandle.current();
    String began = self.info().startInstant().map(Instant::toEpochMilli).orElse(0L).toString();
    String machine;
    try {
      machine = InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      machine = "?";
    }
    return machine + "/" + self.pid() + "/" + began;
  }

  /**
   * Has a daemon told of every change from now on. Nothing is taken away before daemons of its
   * role, too, have said what is wanted of them.
   */
  public void add(Role role, Listener listener) {
    listeners.put(listener, role);
  }

  /** Tells it no more. */
  public void remove(Listener listener) {
    listeners.remove(listener);
  }

  /**
   * How far the host is, of the generation that daemons of a role were told; of generation 0 as
   * long as they were told nothing.
   */
  public ModuleStatus status(Role role) {
    return statuses.getOrDefault(role, ModuleStatus.getDefaultInstance());
  }

  /** Wants this from now on because of daemons of a role, and nothing else because of them. */
  public void want(Role role, WantedModules next, Source from) {
    execute(
        () -> {
          boolean same = next.getGeneration() == wanted.getGeneration();
          told.put(role, new Told(next, from));
          combine(role);
          if (!same) {
            failures.clear();
            done.clear();
          }
          if (looks == null) {
            looks =
                thread.scheduleWithFixedDelay(
                    this::work, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
          }
          work();
        });
  }

  /** Makes one set of what all were told; the word of one goes first. */
  private void combine(Role first) {
    Map<String, WantedModule> modules = new LinkedHashMap<>();
    Map<String, Source> from = new HashMap<>();
    Told last = told.get(first);
    add(last, modules, from);
    told.values().forEach(it -> add(it, modules, from));
    wanted =
        WantedModules.newBuilder()
            .setGeneration(last.wanted().getGeneration())
            .addAllModules(modules.values())
            .build();
    sources = from;
  }

  private static void add(
      Told told, Map<String, WantedModule> modules, Map<String, Source> sources) {
    for (WantedModule module : told.wanted().getModulesList()) {
      if (modules.putIfAbsent(module.getSymbolicName(), module) == null) {
        sources.put(module.getSymbolicName(), told.source());
      }
    }
  }

  private void execute(Runnable task) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("The process ends");
    }
  }

  /** Begins the next change, if there is one to be made, and says how far everything is. */
  private void work() {
    try {
      if (record == null) {
        record = HostRecord.open(folder, setup);
        Map<String, String> digests = new HashMap<>();
        installed().forEach((name, it) -> digests.put(name, it.digest()));
        record.settle(setup, digests);
      }
      step();
    } catch (IOException | RuntimeException e) {
      LOG.error("What the cluster wants of modules cannot be followed", e);
      wanted
          .getModulesList()
          .forEach(
              it ->
                  failures.putIfAbsent(
                      it.getSymbolicName(), folder + " cannot be used: " + e.getMessage()));
    }
    try {
      tell();
    } catch (RuntimeException e) {
      LOG.error("How far this host is with what the cluster wants of modules is not told", e);
    }
  }

  private void step() throws IOException {
    if (changing.isPresent()) {
      return;
    }
    Map<String, WantedModule> modules = new LinkedHashMap<>();
    wanted.getModulesList().forEach(it -> modules.put(it.getSymbolicName(), it));
    Set<String> names = new LinkedHashSet<>(modules.keySet());
    if (told.keySet().containsAll(listeners.values())) {
      names.addAll(record.names());
    }
    for (String name : names) {
      if (changing.isEmpty() && !failures.containsKey(name)) {
        begin(name, Optional.ofNullable(modules.get(name)));
      }
    }
  }

  /** What is installed, by symbolic name. */
  private Map<String, Deployment> installed() {
    Map<String, Deployment> installed = new HashMap<>();
    deployments.list().stream()
        .filter(it -> it.bundleId() >= 0 && !it.state().equals("stuck"))
        .forEach(it -> installed.putIfAbsent(it.symbolicName(), it));
    return installed;
  }

  private LayerRule.Verdict verdict(String name, Optional<WantedModule> module) {
    Optional<String> installed = Optional.ofNullable(installed().get(name)).map(Deployment::digest);
    return LayerRule.decide(
        module.map(WantedModule::getSha256), installed, record.memory(name), byHand(name));
  }

  /** Whether the last change of a bundle was somebody's wish for this host. */
  private boolean byHand(String name) {
    Deployment there = installed().get(name);
    if (there == null || there.shipped()) {
      return false;
    }
    return deployments.history().stream()
        .filter(action -> action.succeeded() && action.symbolicName().equals(name))
        .findFirst()
        .map(Action::principal)
        .filter(it -> !NOBODY.contains(it) && !it.startsWith(PRINCIPAL))
        .isPresent();
  }

  private void begin(String name, Optional<WantedModule> module) throws IOException {
    switch (verdict(name, module)) {
      case INSTALL -> install(name, module.orElseThrow());
      case RESTORE -> restore(name, record.memory(name).orElseThrow().base().orElseThrow());
      case REMOVE -> {
        changing = Optional.of(name);
        LOG.info("{} is removed: the cluster does not want it any more", name);
        long generation = wanted.getGeneration();
        deployments
            .uninstall(name, principal())
            .whenComplete((it, e) -> ended(name, generation, it, e));
      }
      case FORGET -> record.forget(name);
      case AS_WANTED, OVERRIDDEN -> {}
    }
  }

  private String principal() {
    return PRINCIPAL + wanted.getGeneration();
  }

  private void install(String name, WantedModule module) {
    String digest = module.getSha256();
    Optional<String> held = held(digest);
    boolean tried = record.tried(name, digest, wanted.getGeneration());
    if (done.contains(name) || held.isPresent() && tried) {
      failures.put(name, held.orElse("it was installed, and taken away or replaced since"));
      return;
    }
    changing = Optional.of(name);
    long generation = wanted.getGeneration();
    LOG.info("{} {} comes from the cluster (generation {})", name, module.getVersion(), generation);
    sources
        .get(name)
        .jar(digest, module.getSize())
        .whenComplete(
            (jar, failure) ->
                execute(
                    () -> {
                      if (wanted.getGeneration() != generation || failure != null) {
                        changing = Optional.empty();
                        fetched(name, generation, failure);
                      } else {
                        install(name, module, jar, generation);
                      }
                    }));
  }

  /** A jar did not come, or is not wanted any more. */
  private void fetched(String name, long generation, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof IOException && wanted.getGeneration() == generation) {
      failures.put(name, "its jar did not come from the master: " + cause.getMessage());
    }
    // One that was cut off is asked for again when the master is back and tells what it wants.
    if (!(cause instanceof CancellationException)) {
      work();
    }
  }

  private void install(String name, WantedModule module, ByteString jar, long generation) {
    String digest = module.getSha256();
    if (!digest(jar).equals(digest)) {
      changing = Optional.empty();
      failures.put(name, "its jar came with other bytes than the cluster wants");
      work();
      return;
    }
    Optional<String> base = Optional.ofNullable(installed().get(name)).map(Deployment::digest);
    try (InputStream bytes = jar.newInput()) {
      record.begin(name, digest, generation, base, base.flatMap(it -> file(name)));
      deployments
          .install(name + "-" + module.getVersion() + ".jar", bytes, PRINCIPAL + generation)
          .whenComplete((it, e) -> ended(name, generation, it, e));
    } catch (IOException | RuntimeException e) {
      changing = Optional.empty();
      failures.put(name, "its jar cannot be kept: " + e.getMessage());
      tell();
    }
  }

  /** The jar of what is installed, where it lies in the hot folder. */
  private Optional<Path> file(String name) {
    return deployments
        .folder()
        .flatMap(
            hot ->
                deployments.list().stream()
                    .filter(it -> it.symbolicName().equals(name) && !it.file().isEmpty())
                    .findFirst()
                    .map(it -> hot.resolve(it.file())))
        .filter(Files::isRegularFile);
  }

  private void restore(String name, String base) throws IOException {
    Path jar = record.jar(base);
    if (!Files.isRegularFile(jar)) {
      failures.put(name, "what this host had before is not there any more: put it into its folder");
      return;
    }
    changing = Optional.of(name);
    long generation = wanted.getGeneration();
    LOG.info("{} goes back to what this host was set up with", name);
    try (InputStream bytes = Files.newInputStream(jar)) {
      deployments
          .install(name + ".jar", bytes, principal())
          .whenComplete((it, e) -> ended(name, generation, it, e));
    }
  }

  /**
   * A change is over, on whatever thread. What became of one that was begun for a generation before
   * says nothing of what is wanted now.
   */
  private void ended(String name, long generation, Action action, Throwable failure) {
    execute(
        () -> {
          changing = Optional.empty();
          if (wanted.getGeneration() != generation) {
            LOG.debug("{}: a change for generation {} is over, late", name, generation);
          } else if (failure != null) {
            failures.put(name, String.valueOf(failure.getMessage()));
          } else if (!action.succeeded()) {
            failures.put(name, action.outcome());
          } else {
            done.add(name);
          }
          work();
        });
  }

  /** What is held against a digest on this host. */
  private Optional<String> held(String digest) {
    return deployments.verdicts().stream()
        .filter(it -> it.digest().equals(digest))
        .findFirst()
        .map(Verdict::reason);
  }

  private void tell() {
    ModuleStatus.Builder next = ModuleStatus.newBuilder().setHostId(hostId);
    Map<String, Deployment> installed = installed();
    Map<String, String> ill = new HashMap<>();
    leases.unhealthy().forEach(it -> ill.put(it.bundleName(), illness(it)));
    Set<String> names = new LinkedHashSet<>();
    wanted.getModulesList().forEach(it -> names.add(it.getSymbolicName()));
    if (record != null) {
      names.addAll(record.names());
    }
    for (String name : names) {
      Optional<Deployment> there = Optional.ofNullable(installed.get(name));
      ModuleReport.Builder report = report(name, there, ill);
      there.ifPresent(it -> report.setVersion(it.version()).setSha256(it.digest()));
      next.addModules(report);
    }
    Map<Role, ModuleStatus> now = new EnumMap<>(Role.class);
    told.forEach(
        (role, it) -> now.put(role, next.setGeneration(it.wanted().getGeneration()).build()));
    if (!now.equals(statuses)) {
      statuses = Map.copyOf(now);
      listeners.keySet().forEach(Listener::changed);
    }
  }

  private static String illness(ModuleDescription module) {
    return module.ailment().lines().findFirst().orElse("");
  }

  private ModuleReport.Builder report(
      String name, Optional<Deployment> there, Map<String, String> ill) {
    ModuleReport.Builder report = ModuleReport.newBuilder().setSymbolicName(name);
    Optional<WantedModule> module =
        wanted.getModulesList().stream()
            .filter(it -> it.getSymbolicName().equals(name))
            .findFirst();
    Optional<String> failed = Optional.ofNullable(failures.get(name));
    if (record == null) {
      return failed
          .map(it -> report.setState(ModuleReport.State.FAILED).setProblem(it))
          .orElseGet(() -> report.setState(ModuleReport.State.PENDING));
    }
    LayerRule.Verdict verdict = verdict(name, module);
    if (verdict == LayerRule.Verdict.OVERRIDDEN) {
      return report
          .setState(ModuleReport.State.OVERRIDDEN)
          .setProblem("somebody put another one into the module folder of this host");
    }
    if (verdict != LayerRule.Verdict.AS_WANTED) {
      return failed
          .map(it -> report.setState(ModuleReport.State.FAILED).setProblem(it))
          .orElseGet(() -> report.setState(ModuleReport.State.PENDING));
    }
    if (changing.filter(name::equals).isPresent()) {
      return report.setState(ModuleReport.State.PENDING);
    }
    if (there.isEmpty() || !there.get().state().equals("active")) {
      return report
          .setState(ModuleReport.State.FAILED)
          .setProblem(there.map(Deployment::problem).orElse("it is not installed"));
    }
    return Optional.ofNullable(ill.get(name))
        .map(it -> report.setState(ModuleReport.State.UNHEALTHY).setProblem(it))
        .orElseGet(() -> report.setState(ModuleReport.State.ACTIVE));
  }

  private static String digest(ByteString jar) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      List<ByteBuffer> parts = jar.asReadOnlyByteBufferList();
      parts.forEach(sha256::update);
      return HexFormat.of().formatHex(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Does nothing any more; what is being changed is changed. */
  @Deactivate
  @Override
  public void close() {
    thread.shutdownNow();
  }
}

package org.mezzo.containerizer.isolation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.api.isolator.RecoveredContainer.Phase;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleChain;
import org.mezzo.modules.ModuleChain.Member;
import org.mezzo.modules.ModuleChain.Selection;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.Subscription;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The isolators of one agent in the order of {@code --isolation}. An isolator that is selected and
 * has no module refuses launches: a limit that was asked for must not be missing in silence.
 */
public final class IsolatorChain implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(IsolatorChain.class);

  /** Isolators of Mesos that limit nothing; what they do here is the containerizer's own work. */
  private static final Set<String> BUILT_IN =
      Set.of(
          "posix/cpu",
          "posix/mem",
          "filesystem/posix",
          "filesystem/linux",
          "volume/host_path",
          "volume/sandbox_path");

  /** Gives containers mounts of their own; carried out by the containerizer. */
  private static final String MOUNTS = "filesystem/linux";

  /** What needs them, and is part of them as in Mesos. */
  private static final String HOST_VOLUMES = "volume/host_path";

  /** Carries out limits of processes that frameworks ask for. */
  private static final String RLIMITS = "posix/rlimits";

  /** So many limits that were reached may wait; each container has one that counts. */
  private static final int MOST_LIMITATIONS = 1000;

  /** So many wishes may wait; an instance that takes over has one for each container. */
  private static final int MOST_WATCHES = 100_000;

  /** What one isolator was told. */
  private static final class Told {
    /** What it has been told of and not to clean up, as it was told of last. */
    final Map<String, RecoveredContainer> known = new ConcurrentHashMap<>();

    /** What it has cleaned up, as long as the containerizer still lists it. */
    final Set<String> cleaned = ConcurrentHashMap.newKeySet();
  }

  private final Map<String, Told> told = new ConcurrentHashMap<>();

  /** Who was asked to prepare a container, and goes on with it whatever is selected meanwhile. */
  private final Map<String, Selection<Isolator>> responsible = new ConcurrentHashMap<>();

  /** Keeps what isolators say is to be kept. */
  @FunctionalInterface
  public interface Keeper {
    /**
     * An isolator has prepared a container; told before {@link #prepare} completes.
     *
     * @param containerId as in {@link Container#id}
     * @param state empty for nothing
     */
    void prepared(String containerId, String isolator, byte[] state);
  }

  /** Has the kernel tell of memory cgroups; what it tells comes to {@link #told}. */
  public interface Watching {
    /** Begins, once more if it is asked again. */
    void watch(Path cgroup);

    /** Nobody wants to be told any more. */
    void unwatch(Path cgroup);
  }

  /** Who wants to be told of what. */
  private record Wish(String isolator, CgroupWatch watch) {}

  /** By container; held, also for the other one, while either is used. */
  private final Map<String, Set<Wish>> wishes = new HashMap<>();

  private final Map<Path, Set<Wish>> wishesByCgroup = new HashMap<>();

  /** Of which it is on its way that something happened; more would say the same. */
  private final Set<Wish> happened = ConcurrentHashMap.newKeySet();

  private final Watching watching;
  private final ModuleChain<Isolator> isolators;
  private volatile Set<String> selected;
  private final Set<LaunchPlan.Feature> features;
  private final Supplier<List<Container>> running;
  private final Keeper keeper;

  /** What an earlier agent has had prepared, of which only those know that were asked then. */
  private final Set<String> recovered = ConcurrentHashMap.newKeySet();

  /**
   * Leases what {@code --isolation} names.
   *
   * @param isolation the names, in the order in which they are called
   * @param features what the launcher can carry out of their plans
   * @param events where leases report, one at a time
   * @param limitations told of limits that containers have reached, on {@code events}
   * @param running the containers to hand to an isolator that takes over: those that run and that
   *     isolators have prepared, by order of an earlier agent, too; called on {@code events}
   * @param found what isolators have prepared by order of an earlier agent, by their names
   * @param keeper told what is to be kept for an agent to come
   * @param watching asked on {@code events}
   */
  public IsolatorChain(
      ContainerizerHost host,
      List<String> isolation,
      Set<LaunchPlan.Feature> features,
      Executor events,
      Consumer<ContainerLimitation> limitations,
      Supplier<List<Container>> running,
      Map<String, List<RecoveredContainer>> found,
      Keeper keeper,
      Watching watching) {
    this.features = Set.copyOf(features);
    this.running = running;
    this.keeper = keeper;
    this.watching = watching;
    selected = Set.copyOf(isolation);
    found.forEach(
        (name, containers) -> {
          for (RecoveredContainer each : containers) {
            told(name).known.put(each.container().id(), each);
            recovered.add(each.container().id());
          }
        });
    isolators =
        host.modules()
            .chain(
                Kinds.ISOLATOR,
                modules(isolation),
                events,
                request ->
                    request
                        .subscribe(
                            Subscription.events(
                                "limitations",
                                MOST_LIMITATIONS,
                                Isolator::limitations,
                                (reached, epoch) -> limitations.accept(reached)))
                        .subscribe(
                            Subscription.events(
                                "watches",
                                MOST_WATCHES,
                                Isolator::watches,
                                (watch, epoch) -> wished(new Wish(request.name(), watch))))
                        .after(() -> takeover(request.name())));
  }

  /** Containers that are launched from now on are isolated by these, the others as before. */
  public void select(List<String> isolation) {
    isolators.select(modules(isolation));
    selected = Set.copyOf(isolation);
  }

  /**
   * What a container asks for that nobody would carry out, for people; empty for nothing. Safe for
   * any thread.
   */
  public Optional<String> missing(Container container) {
    boolean limits =
        container.info().filter(info -> info.getRlimitInfo().getRlimitsCount() > 0).isPresent();
    return limits && !selected.contains(RLIMITS)
        ? Optional.of(
            "`container.rlimit_info` needs the isolator '"
                + RLIMITS
                + "'; add it to --isolation of this agent, or leave the limits out")
        : Optional.empty();
  }

  /** Whether containers that are launched now are to have mount namespaces of their own. */
  public boolean mounts() {
    return selected.contains(MOUNTS);
  }

  /**
   * What is against names that the containerizer itself carries out, for people; empty: nothing.
   *
   * @param obstacle why there can be no mounts; empty where there can
   */
  public static Optional<String> mountProblem(
      Collection<String> isolation, Optional<String> obstacle) {
    if (isolation.contains(HOST_VOLUMES) && !isolation.contains(MOUNTS)) {
      return Optional.of(
          "Isolation '" + HOST_VOLUMES + "' needs '" + MOUNTS + "' beside it in --isolation");
    }
    return isolation.contains(MOUNTS)
        ? obstacle.map(
            why ->
                "Isolation '"
                    + MOUNTS
                    + "' cannot be: "
                    + why
                    + "; take it out of --isolation ('filesystem/posix' needs nothing)")
        : Optional.empty();
  }

  /** The same of the names that are selected now. */
  public Optional<String> mountProblem(Optional<String> obstacle) {
    return mountProblem(selected, obstacle);
  }

  private static List<String> modules(List<String> isolation) {
    List<String> modules = new ArrayList<>();
    for (String name : isolation) {
      if (BUILT_IN.contains(name)) {
        LOG.info("Isolation '{}' limits nothing by itself and needs no module", name);
      } else {
        modules.add(name);
      }
    }
    return modules;
  }

  private Told told(String name) {
    return told.computeIfAbsent(name, unused -> new Told());
  }

  /** On the events executor, while no call of the lease runs. */
  private ModuleLease.Action<Isolator> takeover(String name) {
    Told before = told(name);
    Map<String, RecoveredContainer> all = new HashMap<>();
    for (Container container : running.get()) {
      Selection<Isolator> selection = responsible.get(container.id());
      if (!recovered.contains(container.id())
          && !before.cleaned.contains(container.id())
          && (selection == null
              || selection.members().stream().anyMatch(it -> it.name().equals(name)))) {
        all.put(container.id(), RecoveredContainer.of(container, Phase.ISOLATED, new byte[0]));
      }
    }
    all.putAll(before.known);
    List<RecoveredContainer> containers = List.copyOf(all.values());
    return isolator -> isolator.recover(containers);
  }

  private void prepared(Member<Isolator> isolator, Container container, byte[] state) {
    told(isolator.name())
        .known
        .put(container.id(), RecoveredContainer.of(container, Phase.PREPARED, state));
  }

  /**
   * A container of an earlier agent goes on, or is to be cleaned up: by those that are selected now
   * and were asked about it then.
   */
  public void adopt(Container container) {
    recovered.add(container.id());
    Selection<Isolator> selection = isolators.now();
    Selection<Isolator> before = responsible.putIfAbsent(container.id(), selection);
    if (before != null) {
      selection.close();
      return;
    }
    Set<String> selected = new HashSet<>();
    selection.members().forEach(link -> selected.add(link.name()));
    for (Map.Entry<String, Told> asked : told.entrySet()) {
      if (asked.getValue().known.containsKey(container.id())
          && !selected.contains(asked.getKey())) {
        LOG.warn(
            "Isolator '{}' has prepared container {} and is not in --isolation any more: what it"
                + " made stays when the container ends",
            asked.getKey(),
            container.id());
      }
    }
  }

  private void isolated(Member<Isolator> isolator, Container container) {
    told(isolator.name())
        .known
        .computeIfPresent(
            container.id(),
            (id, before) -> RecoveredContainer.of(container, Phase.ISOLATED, before.state()));
  }

  private void left(Member<Isolator> isolator, Container container) {
    Told before = told(isolator.name());
    before.known.remove(container.id());
    before.cleaned.add(container.id());
  }

  private static <R> CompletionStage<R> ask(
      Member<Isolator> isolator, String operation, ModuleLease.Call<Isolator, R> call) {
    return explained(isolator, isolator.lease().ask(operation, call));
  }

  private static CompletionStage<Void> tell(
      Member<Isolator> isolator, String operation, ModuleLease.Action<Isolator> action) {
    return explained(isolator, isolator.lease().tell(operation, action));
  }

  private static <R> CompletionStage<R> explained(
      Member<Isolator> isolator, CompletionStage<R> stage) {
    return stage.exceptionallyCompose(
        failure ->
            CompletableFuture.failedStage(
                ModuleException.isAbsence(failure)
                    ? new LaunchException(
                        "Isolator '"
                            + isolator.name()
                            + "' is not available; install its module or take it out of"
                            + " --isolation")
                    : failure));
  }

  /**
   * Those that are responsible for a container, and take part in it when it is nested; nobody
   * before it is prepared.
   */
  private List<Member<Isolator>> of(Container container) {
    Selection<Isolator> selection = responsible.get(container.id());
    return selection == null
        ? List.of()
        : selection.members().stream().filter(link -> takesPart(link, container)).toList();
  }

  private boolean takesPart(Member<Isolator> isolator, Container container) {
    return container.parent().isEmpty() && !recovered.contains(container.id())
        || told(isolator.name()).known.containsKey(container.id());
  }

  /** Whether no isolator would be asked about a container that is launched now. */
  public boolean isEmpty() {
    return isolators.isEmpty();
  }

  /** How to launch it, by all isolators; fails at the first that fails. */
  public CompletionStage<LaunchPlan> prepare(Container container) {
    Selection<Isolator> selection = isolators.now();
    responsible.put(container.id(), selection);
    JoinedPlan plan = new JoinedPlan(features);
    CompletionStage<Void> done = CompletableFuture.completedStage(null);
    for (Member<Isolator> link : selection.members()) {
      done =
          done.thenCompose(
              ignored ->
                  named(link, ask(link, "prepare", isolator -> fragment(isolator, container)))
                      .thenAccept(fragment -> join(plan, link, container, fragment)));
    }
    return done.thenApply(ignored -> plan.plan());
  }

  /** What one isolator says, on its own thread; empty when it takes no part. */
  private static Optional<LaunchPlan> fragment(Isolator isolator, Container container)
      throws Exception {
    return container.parent().isPresent() && !isolator.nests()
        ? Optional.empty()
        : Optional.of(Objects.requireNonNull(isolator.prepare(container), "prepare returned null"));
  }

  private void join(
      JoinedPlan plan, Member<Isolator> link, Container container, Optional<LaunchPlan> fragment) {
    if (fragment.isEmpty()) {
      return;
    }
    prepared(link, container, fragment.get().state());
    keeper.prepared(container.id(), link.name(), fragment.get().state());
    try {
      plan.add(link.name(), fragment.get());
    } catch (LaunchException e) {
      throw new CompletionException(e);
    }
  }

  /** Isolates the first process, which waits. */
  public CompletionStage<Void> isolate(Container container) {
    long pid = container.pid().orElseThrow();
    CompletionStage<Void> done = CompletableFuture.completedStage(null);
    for (Member<Isolator> link : of(container)) {
      done =
          done.thenCompose(
              ignored ->
                  named(link, tell(link, "isolate", isolator -> isolator.isolate(container, pid)))
                      .thenAccept(told -> isolated(link, container)));
    }
    return done;
  }

  /** Tells of other resources, one isolator after the other; fails at the first that fails. */
  public CompletionStage<Void> update(Container container) {
    List<Member<Isolator>> links = of(container);
    for (Member<Isolator> link : links) {
      told(link.name())
          .known
          .computeIfPresent(
              container.id(),
              (id, before) -> RecoveredContainer.of(container, before.phase(), before.state()));
    }
    CompletionStage<Void> done = CompletableFuture.completedStage(null);
    for (Member<Isolator> link : links) {
      done =
          done.thenCompose(
              ignored -> named(link, tell(link, "update", it -> it.update(container))));
    }
    return done;
  }

  /** Adds the parts of all isolators to a container's usage; one that fails adds nothing. */
  public CompletionStage<ResourceStatistics.Builder> usage(
      Container container, ResourceStatistics.Builder own) {
    CompletionStage<ResourceStatistics.Builder> done = CompletableFuture.completedStage(own);
    for (Member<Isolator> link : of(container)) {
      done =
          done.thenCombine(
              optional(ask(link, "usage", isolator -> isolator.usage(container))),
              (all, part) -> part.map(all::mergeFrom).orElse(all));
    }
    return done;
  }

  /** Adds the parts of all isolators to a container's status; one that fails adds nothing. */
  public CompletionStage<ContainerStatus.Builder> status(
      Container container, ContainerStatus.Builder own) {
    CompletionStage<ContainerStatus.Builder> done = CompletableFuture.completedStage(own);
    for (Member<Isolator> link : of(container)) {
      done =
          done.thenCombine(
              optional(ask(link, "status", isolator -> isolator.status(container))),
              (all, part) -> part.map(all::mergeFrom).orElse(all));
    }
    return done;
  }

  /** Lets every isolator clean up, the last one first; failures are logged. */
  public CompletionStage<Void> cleanup(Container container) {
    // What an earlier agent has launched is cleaned up by those that are selected now.
    Selection<Isolator> selection =
        responsible.computeIfAbsent(container.id(), unused -> isolators.now());
    List<Member<Isolator>> links =
        selection.members().stream().filter(link -> takesPart(link, container)).toList();
    CompletionStage<Void> done = CompletableFuture.completedStage(null);
    for (int i = links.size() - 1; i >= 0; i--) {
      Member<Isolator> link = links.get(i);
      done =
          done.thenCompose(
              ignored ->
                  tell(link, "cleanup", isolator -> isolator.cleanup(container))
                      .handle(
                          (told, failure) -> {
                            left(link, container);
                            if (failure != null) {
                              LOG.warn(
                                  "Isolator '{}' did not clean up after container {}: {}",
                                  link.name(),
                                  container.id(),
                                  root(failure).getMessage());
                            }
                            return null;
                          }));
    }
    return done.thenRun(
        () -> {
          responsible.remove(container.id());
          selection.close();
        });
  }

  private void wished(Wish wish) {
    CgroupWatch watch = wish.watch();
    synchronized (wishes) {
      // One that has ended meanwhile was forgotten already, and would not be once more.
      if (isAbout(wish)) {
        wishes.computeIfAbsent(watch.containerId(), unused -> new HashSet<>()).add(wish);
        wishesByCgroup.computeIfAbsent(watch.cgroup(), unused -> new HashSet<>()).add(wish);
        watching.watch(watch.cgroup());
      }
    }
  }

  private boolean isAbout(Wish wish) {
    String id = wish.watch().containerId();
    Told isolator = told(wish.isolator());
    return !isolator.cleaned.contains(id)
        && (isolator.known.containsKey(id) || responsible.containsKey(id));
  }

  private void unwish(String containerId) {
    synchronized (wishes) {
      Set<Wish> over = wishes.remove(containerId);
      for (Wish wish : over == null ? Set.<Wish>of() : over) {
        Path cgroup = wish.watch().cgroup();
        Set<Wish> all = wishesByCgroup.get(cgroup);
        all.remove(wish);
        if (all.isEmpty()) {
          wishesByCgroup.remove(cgroup);
          watching.unwatch(cgroup);
        }
      }
    }
  }

  /**
   * There is news of a cgroup that an isolator wanted to be watched; safe for any thread, which
   * does not wait.
   */
  public void told(Path cgroup, CgroupWatch.News news) {
    List<Wish> wanted;
    synchronized (wishes) {
      wanted = List.copyOf(wishesByCgroup.getOrDefault(cgroup, Set.of()));
    }
    for (Wish wish : wanted) {
      if (news != CgroupWatch.News.HAPPENED) {
        tell(wish, isolator -> isolator.watched(wish.watch(), news));
      } else if (happened.add(wish)) {
        tell(
                wish,
                isolator -> {
                  // What happens from here on is more news.
                  happened.remove(wish);
                  isolator.watched(wish.watch(), news);
                })
            .whenComplete((done, failure) -> happened.remove(wish));
      }
    }
  }

  private CompletionStage<Void> tell(Wish wish, ModuleLease.Action<Isolator> action) {
    Selection<Isolator> asked = responsible.get(wish.watch().containerId());
    try (Selection<Isolator> now = isolators.now()) {
      return (asked == null ? now : asked)
          .members().stream()
              .filter(it -> it.name().equals(wish.isolator()))
              .findFirst()
              .map(it -> it.lease().tell("watched", action))
              .orElseGet(() -> CompletableFuture.completedStage(null));
    }
  }

  /** The container is gone, and the containerizer does not list it any more. */
  public void forget(String containerId) {
    for (Told each : told.values()) {
      each.known.remove(containerId);
      each.cleaned.remove(containerId);
    }
    recovered.remove(containerId);
    unwish(containerId);
  }

  /** Of how many containers anything is remembered. */
  int remembered() {
    Set<String> ids = new HashSet<>(responsible.keySet());
    for (Told each : told.values()) {
      ids.addAll(each.known.keySet());
      ids.addAll(each.cleaned);
    }
    synchronized (wishes) {
      ids.addAll(wishes.keySet());
    }
    return ids.size();
  }

  private static <R> CompletionStage<R> named(Member<Isolator> link, CompletionStage<R> stage) {
    CompletableFuture<R> named = new CompletableFuture<>();
    stage.whenComplete(
        (result, failure) -> {
          if (failure == null) {
            named.complete(result);
          } else {
            Throwable root = root(failure);
            named.completeExceptionally(
                root instanceof LaunchException
                    ? root
                    : new LaunchException(
                        "Isolator '" + link.name() + "' failed: " + reason(root), root));
          }
        });
    return named;
  }

  /** What an isolator said itself is told as it said it. */
  private static String reason(Throwable root) {
    return root instanceof ModuleException module
            && module.kind() == ModuleException.Kind.THREW
            && module.getCause() != null
            && module.getCause().getMessage() != null
        ? module.getCause().getMessage()
        : root.getMessage();
  }

  private static <R> CompletionStage<Optional<R>> optional(CompletionStage<Optional<R>> stage) {
    return stage.exceptionally(failure -> Optional.empty());
  }

  private static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null
        && (root instanceof CompletionException
            || root instanceof java.util.concurrent.ExecutionException)) {
      root = root.getCause();
    }
    return root;
  }

  @Override
  public void close() {
    isolators.close();
  }
}

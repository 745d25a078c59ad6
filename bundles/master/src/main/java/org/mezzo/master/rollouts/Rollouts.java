package org.mezzo.master.rollouts;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Timers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.link.messages.FetchModule;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.MasterStanding;
import org.mezzo.link.messages.ModuleChunk;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.master.agents.Links;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.StateListener;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.MasterInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The module bundles that are wanted in the cluster, during one term: keeps them in the registry,
 * tells agents and hands them the jars, and moves a rollout on. Nothing is told to an agent before
 * the registry has it, so that the next leader goes on from there. Belongs to the event loop.
 */
public final class Rollouts implements Links.ModuleCalls, AutoCloseable {
  /** Bytes of the largest jar that the registry keeps. */
  public static final int MAX_JAR_BYTES = BundleContents.MAX_BYTES;

  private static final Logger LOG = LoggerFactory.getLogger(Rollouts.class);
  private static final String METRICS = "master/mezzo/modules/";

  /** What is heard of many hosts at a time is looked at once. */
  private static final Duration GATHER = Duration.ofMillis(50);

  /** How often to look at what masters say. */
  private static final Duration MASTERS = Duration.ofMillis(500);

  /** When to look again at what the registry did not take. */
  private static final Duration AGAIN = Duration.ofSeconds(5);

  /** Writes to the registry of the term. */
  @FunctionalInterface
  public interface Writer {
    /**
     * Writes; completes on the event loop, with {@link Registry.RefusedException} when these
     * changes cannot be stored. Any other failure ends the term.
     */
    CompletionStage<Void> write(List<Registry.Change> changes);
  }

  /**
   * What is wanted, and how hosts are. Immutable.
   *
   * @param contentBytes bytes of all jars that are kept
   */
  public record Report(DesiredModules wanted, List<HostView> hosts, long contentBytes) {}

  private final EventLoop loop;
  private final Clock clock;
  private final Supplier<MasterState> state;
  private final BiConsumer<String, MasterEvent.Builder> agents;
  private final Writer registry;
  private final MetricsRegistry metrics;
  private final Timers timers;
  private final Set<CompletableFuture<Void>> waiting = new HashSet<>();

  /** Of agents with a link: whether they follow. */
  private final Map<String, Boolean> linked = new HashMap<>();

  /**
   * A master that was seen in this term.
   *
   * @param there whether its notice is
   * @param since when that was so last
   */
  private record SeenMaster(MasterStanding standing, boolean there, Instant since) {
    HostView view(MasterInfo leader) {
      MasterInfo info = standing.getMaster();
      return new HostView(
          Member.OfMaster.of(info, info.getPid().equals(leader.getPid())),
          there,
          true,
          since,
          false,
          standing.hasModules() ? Optional.of(standing.getModules()) : Optional.empty());
    }
  }

  private final Supplier<CompletionStage<Map<String, MasterStanding>>> standings;
  private final Map<String, SeenMaster> masters = new TreeMap<>();
  private boolean askingMasters;

  /**
   * Masters were heard in this term. Before, who is thought to be there may be the leader whose end
   * began it.
   */
  private boolean mastersKnown;

  private final Map<String, Instant> since = new HashMap<>();
  private final Map<String, ModuleStatus> statuses = new HashMap<>();

  private final JoiningAgents joining;
  private final TaskCensus census = new TaskCensus(this::lookSoon);

  /** The generation that each agent was told on its present link. */
  private final Map<String, Long> told = new HashMap<>();

  private Instant began;
  private DesiredModules wanted = DesiredModules.NONE;
  private BundleContents contents = new BundleContents();
  private EventLoop.Timer look = () -> {};
  private boolean soon;

  /** Something is being stored; nothing else may change until that is decided. */
  private boolean storing;

  private boolean serving;
  private boolean closed;

  /**
   * Nothing is wanted before {@link #begin}.
   *
   * @param run runs a step as a transition
   * @param agents sends to an agent that has a link
   * @param standings what masters say of themselves when it is asked, by their ids; asked on the
   *     event loop
   */
  public Rollouts(
      EventLoop loop,
      Clock clock,
      Supplier<MasterState> state,
      Consumer<Step> run,
      BiConsumer<String, MasterEvent.Builder> agents,
      Writer registry,
      Supplier<CompletionStage<Map<String, MasterStanding>>> standings,
      MetricsRegistry metrics) {
    this.loop = loop;
    this.clock = clock;
    this.state = state;
    this.agents = agents;
    this.registry = registry;
    this.standings = standings;
    this.metrics = metrics;
    timers = new Timers(loop);
    joining = new JoiningAgents(state, run, timers);
    began = clock.instant();
    metrics.gauge(METRICS + "generation", () -> wanted.current().number());
    metrics.gauge(METRICS + "content_bytes", () -> contents.size());
    metrics.gauge(
        METRICS + "rollout_agents",
        () -> wanted.underWay().map(it -> it.touched().size()).orElse(0));
    metrics.gauge(METRICS + "agents_waiting", joining::size);
    metrics.counter(METRICS + "rollouts_begun");
    metrics.counter(METRICS + "rollouts_done");
    metrics.counter(METRICS + "rollouts_rolled_back");
  }

  /** What the registry holds about modules, decoded. Immutable until it is begun with. */
  public static final class Stored {
    private final DesiredModules wanted;
    private final BundleContents contents;

    private Stored(DesiredModules wanted, BundleContents contents) {
      this.wanted = wanted;
      this.contents = contents;
    }

    /** Nothing. */
    public static Stored nothing() {
      return new Stored(DesiredModules.NONE, new BundleContents());
    }

    /** Decodes what was read; on any thread. */
    public static Stored of(Map<String, byte[]> registry) throws InvalidProtocolBufferException {
      return new Stored(ModulesRegistry.read(registry), BundleContents.read(registry));
    }
  }

  /** Goes on with what the registry holds. */
  public void begin(Stored stored) {
    wanted = stored.wanted;
    contents = stored.contents;
    began = clock.instant();
    serving = true;
    for (String digest : wanted.digests()) {
      if (!contents.has(digest)) {
        LOG.error("The jar {} of a wanted module is not in the registry", digest);
      }
    }
    wanted
        .underWay()
        .ifPresent(
            rollout ->
                LOG.info(
                    "Going on with the rollout of generation {} ({}, {} daemons touched)",
                    rollout.to().number(),
                    rollout.state(),
                    rollout.touched().size()));
    census.follow(wanted.rollout());
    tidy();
    lookAtMasters();
    timers.every(MASTERS, this::lookAtMasters);
    lookSoon();
  }

  /** Has to follow the roots of the term, to know how tasks end. */
  public StateListener census() {
    return census;
  }

  @Override
  public void bound(String agentId, boolean follows) {
    linked.put(agentId, follows);
    since.put(agentId, clock.instant());
    told.remove(agentId);
    if (follows && wanted.lastNumber() > 0) {
      joining.joined(agentId);
    } else {
      joining.left(agentId);
    }
    // Its greeting goes first; and whether it waits is decided before an allocator can know of it.
    loop.execute(
        () -> {
          if (!closed && linked.containsKey(agentId)) {
            joining.settle(agentId, wanted.of(agentId));
            tell(agentId);
          }
        });
    lookSoon();
  }

  @Override
  public void unbound(String agentId) {
    linked.remove(agentId);
    told.remove(agentId);
    joining.left(agentId);
    if (state.get().agents().containsKey(agentId)) {
      since.put(agentId, clock.instant());
    } else {
      since.remove(agentId);
      statuses.remove(agentId);
      census.forget(agentId);
    }
    lookSoon();
  }

  @Override
  public void status(String agentId, ModuleStatus status) {
    statuses.put(agentId, status);
    joining.said(agentId, status);
    joining.settle(agentId, wanted.of(agentId));
    lookSoon();
  }

  @Override
  public void fetch(String agentId, FetchModule call) {
    ModuleChunk.Builder chunk =
        ModuleChunk.newBuilder().setSha256(call.getSha256()).setOffset(call.getOffset());
    Optional<ByteString> part = contents.part(call.getSha256(), call.getOffset());
    part.ifPresent(chunk::setData);
    agents.accept(agentId, MasterEvent.newBuilder().setModuleChunk(chunk));
  }

  /** Tells an agent what it is to have, unless it knows. */
  private void tell(String agentId) {
    tell(agentId, wanted.of(agentId));
  }

  private void tell(String agentId, Generation generation) {
    Agent agent = state.get().agents().get(agentId);
    if (closed
        || wanted.lastNumber() == 0
        || agent == null
        || !linked.getOrDefault(agentId, false)
        || told.getOrDefault(agentId, -1L) == generation.number()) {
      return;
    }
    told.put(agentId, generation.number());
    agents.accept(
        agentId,
        MasterEvent.newBuilder()
            .setWantedModules(generation.message(new Member.OfAgent(agent.info()))));
  }

  private void tellAll() {
    Function<String, Generation> targets = wanted.targets();
    List.copyOf(linked.keySet()).forEach(id -> tell(id, targets.apply(id)));
  }

  private void lookSoon() {
    if (!soon && serving && wanted.underWay().isPresent()) {
      soon = true;
      timers.schedule(
          GATHER,
          () -> {
            soon = false;
            look();
          });
    }
  }

  /** Moves the rollout on as far as it goes. */
  private void look() {
    look.cancel();
    if (closed || storing || !mastersKnown) {
      return;
    }
    Instant now = clock.instant();
    RolloutRules.Step step = RolloutRules.step(wanted, hosts(), now);
    step.look()
        .ifPresent(
            at -> {
              Duration wait = Duration.between(now, at);
              look = timers.schedule(wait.isNegative() ? Duration.ZERO : wait, this::look);
            });
    if (!step.next().equals(wanted)) {
      store(step.next()).exceptionally(failure -> null);
    }
  }

  /** Asks what masters say of themselves, one question at a time. */
  private void lookAtMasters() {
    if (askingMasters) {
      return;
    }
    askingMasters = true;
    standings
        .get()
        .whenCompleteAsync(
            (now, failure) -> {
              askingMasters = false;
              if (closed) {
                return;
              }
              if (failure == null) {
                mastersSay(now);
              } else {
                LOG.debug("What masters say is not known at the moment", failure);
              }
            },
            loop);
  }

  private void mastersSay(Map<String, MasterStanding> now) {
    boolean changed = !mastersKnown;
    mastersKnown = true;
    for (Map.Entry<String, MasterStanding> entry : now.entrySet()) {
      SeenMaster before = masters.get(entry.getKey());
      boolean back = before == null || !before.there();
      SeenMaster seen =
          new SeenMaster(entry.getValue(), true, back ? clock.instant() : before.since());
      changed |= !seen.equals(masters.put(entry.getKey(), seen));
    }
    for (Map.Entry<String, SeenMaster> entry : masters.entrySet()) {
      if (entry.getValue().there() && !now.containsKey(entry.getKey())) {
        entry.setValue(new SeenMaster(entry.getValue().standing(), false, clock.instant()));
        changed = true;
      }
    }
    if (changed) {
      lookSoon();
    }
  }

  private List<HostView> hosts() {
    MasterState now = state.get();
    List<HostView> hosts = new ArrayList<>();
    for (Agent agent : now.agents().values()) {
      String id = agent.id();
      boolean connected = agent.connected() && linked.containsKey(id);
      hosts.add(
          new HostView(
              new Member.OfAgent(agent.info()),
              connected,
              linked.getOrDefault(id, true),
              since.getOrDefault(id, began),
              false,
              Optional.ofNullable(statuses.get(id)),
              agent.awaits(),
              census.of(id)));
    }
    now.recoveredAgents()
        .values()
        .forEach(
            agent ->
                hosts.add(
                    new HostView(
                        new Member.OfAgent(agent.info()),
                        false,
                        true,
                        began,
                        true,
                        Optional.empty())));
    Set<String> unseen = new HashSet<>();
    wanted.underWay().ifPresent(it -> unseen.addAll(it.touched()));
    unseen.removeIf(id -> !id.startsWith(Member.MASTER_PREFIX));
    masters.forEach(
        (id, master) -> {
          unseen.remove(id);
          hosts.add(master.view(now.self()));
        });
    for (String id : unseen) {
      hosts.add(
          new HostView(Member.OfMaster.unseen(id), false, true, began, true, Optional.empty()));
    }
    return hosts;
  }

  /** How everything is. */
  public Report report() {
    return new Report(wanted, hosts(), contents.size());
  }

  /**
   * Begins to bring a jar to the hosts that it is for.
   *
   * @param who the principal, for the log and whoever looks
   * @return completes on the event loop when the registry has it; fails with {@link Refused} in a
   *     {@link CompletionException}
   */
  public CompletionStage<Void> roll(
      UploadedJar jar, Selector selector, Rollout.Pace pace, String who) {
    WantedBundle bundle =
        new WantedBundle(
            jar.symbolicName(), jar.version(), jar.sha256(), jar.content().length, selector);
    List<WantedBundle> modules = wanted.current().with(bundle);
    if (wanted.current().modules().contains(bundle)) {
      return refused(409, "Exactly this bundle is wanted already: " + bundle.name());
    }
    Optional<String> busy = busy();
    if (busy.isPresent()) {
      return refused(409, busy.get());
    }
    if (contents.has(jar.sha256())) {
      return begin(modules, pace, who, bundle.name());
    }
    long total = contents.size() + jar.content().length;
    if (total > BundleContents.MAX_TOTAL_BYTES) {
      return refused(
          413,
          "The jars of wanted modules would have %d bytes together, and %d is the most that is kept; take others out of the set first"
              .formatted(total, BundleContents.MAX_TOTAL_BYTES));
    }
    storing = true;
    CompletionStage<Void> kept = CompletableFuture.completedFuture(null);
    for (Registry.Change change : contents.writes(jar.sha256(), jar.content())) {
      kept = kept.thenCompose(done -> registry.write(List.of(change)));
    }
    CompletableFuture<Void> result = open();
    kept.whenComplete(
        (done, failure) -> {
          storing = false;
          if (closed) {
            return;
          }
          if (failure != null) {
            tidy();
            fail(result, failure);
            return;
          }
          contents.kept(jar.sha256(), jar.content());
          forward(begin(modules, pace, who, bundle.name()), result);
        });
    return result;
  }

  /** Begins to take a bundle away from the hosts that have it because the cluster wants it. */
  public CompletionStage<Void> remove(String symbolicName, Rollout.Pace pace, String who) {
    List<WantedBundle> modules = wanted.current().without(symbolicName);
    if (modules.size() == wanted.current().modules().size()) {
      return refused(
          404, "The cluster wants no bundle with the symbolic name '" + symbolicName + "'");
    }
    return begin(modules, pace, who, "without " + symbolicName);
  }

  private CompletionStage<Void> begin(
      List<WantedBundle> modules, Rollout.Pace pace, String who, String what) {
    Optional<String> busy = busy();
    if (busy.isPresent()) {
      return refused(409, busy.get());
    }
    Instant now = clock.instant();
    Generation to = new Generation(wanted.lastNumber() + 1, modules, who, now);
    LOG.info(
        "{} wants generation {} of modules ({}) in the cluster, {} hosts at a time",
        who,
        to.number(),
        what,
        pace.batch());
    return store(wanted.begin(Rollout.begin(to, pace, now)))
        .thenRun(() -> metrics.counter(METRICS + "rollouts_begun").add(1));
  }

  private Optional<String> busy() {
    if (storing) {
      return Optional.of("Another change of the wanted modules is being stored; try again");
    }
    return wanted
        .underWay()
        .map(
            rollout ->
                "The rollout of generation %d by %s is under way (%s); await its end, or abort it"
                    .formatted(rollout.to().number(), rollout.to().who(), rollout.state()));
  }

  /** What an operator wants of a rollout. */
  public enum Order {
    PAUSE,
    RESUME,
    /** Stop, and bring those back that were changed. */
    ABORT,
    /** Abort the one under way; without one, roll the generation before the present one out. */
    ROLLBACK
  }

  /** Does what an operator wants; as {@link #roll}. */
  public CompletionStage<Void> order(Order order, String who) {
    if (storing) {
      return refused(409, "Another change of the wanted modules is being stored; try again");
    }
    Optional<Rollout> now = wanted.underWay();
    if (now.isEmpty()) {
      return order == Order.ROLLBACK ? previous(who) : refused(409, "No rollout is under way");
    }
    Rollout rollout = now.get();
    if (!rollout.forward()) {
      return refused(409, "The rollout is being undone already: " + rollout.reason());
    }
    LOG.info("{} orders of the rollout of generation {}: {}", who, rollout.to().number(), order);
    return store(
        wanted.with(
            switch (order) {
              case PAUSE -> rollout.paused(who);
              case RESUME -> rollout.resumed();
              case ABORT, ROLLBACK -> rollout.goingBack("aborted by " + who, clock.instant());
            }));
  }

  private CompletionStage<Void> previous(String who) {
    if (wanted.previous().isEmpty() || wanted.rollout().isEmpty()) {
      return refused(409, "There is no generation to go back to");
    }
    Generation before = wanted.previous().get();
    return begin(before.modules(), wanted.rollout().get().pace(), who, "as in " + before.number());
  }

  /** Keeps what is to be wanted, and then acts by it. */
  private CompletionStage<Void> store(DesiredModules next) {
    Optional<String> problem = ModulesRegistry.problem(next);
    if (problem.isPresent()) {
      LOG.error("A rollout cannot go on: {}", problem.get());
      return refused(413, problem.get());
    }
    storing = true;
    CompletableFuture<Void> result = open();
    registry
        .write(List.of(ModulesRegistry.change(next)))
        .whenComplete(
            (done, failure) -> {
              storing = false;
              if (closed) {
                return;
              }
              if (failure != null) {
                LOG.error("What is wanted of modules could not be stored: {}", failure.toString());
                look = timers.schedule(AGAIN, this::look);
                fail(result, failure);
                return;
              }
              DesiredModules before = wanted;
              wanted = next;
              changed(before.rollout(), next);
              census.follow(wanted.rollout());
              tellAll();
              joining.settleAll(wanted.targets());
              tidy();
              waiting.remove(result);
              result.complete(null);
              lookSoon();
            });
    return result;
  }

  private void changed(Optional<Rollout> before, DesiredModules now) {
    Rollout rollout = now.rollout().orElseThrow();
    long number = rollout.to().number();
    boolean same = before.filter(it -> it.to().number() == number).isPresent();
    if (same && before.get().state() != rollout.state()) {
      switch (rollout.state()) {
        case DONE -> {
          metrics.counter(METRICS + "rollouts_done").add(1);
          LOG.info("Generation {} of modules is rolled out", number);
        }
        case ROLLING_BACK ->
            LOG.warn(
                "The rollout of generation {} stops, and {} daemons go back to {}: {}",
                number,
                rollout.touched().size(),
                now.current().number(),
                rollout.reason());
        case ROLLED_BACK -> {
          metrics.counter(METRICS + "rollouts_rolled_back").add(1);
          LOG.warn("The rollout of generation {} is undone: {}", number, rollout.reason());
        }
        default -> LOG.info("The rollout of generation {} is {}", number, rollout.state());
      }
    } else if (same && before.get().touched().size() != rollout.touched().size()) {
      LOG.info(
          "Generation {} of modules goes to {} more daemons: {}",
          number,
          rollout.inBatch(),
          rollout.batchNow());
    }
  }

  /** Has the registry forget jars that nobody can want any more. */
  private void tidy() {
    if (storing) {
      return;
    }
    for (Registry.Change change : contents.retain(wanted.digests())) {
      registry
          .write(List.of(change))
          .whenComplete(
              (done, failure) -> {
                if (failure != null) {
                  LOG.warn("{} stays in the registry: {}", change.key(), failure.toString());
                }
              });
    }
  }

  private CompletableFuture<Void> open() {
    CompletableFuture<Void> result = new CompletableFuture<>();
    waiting.add(result);
    return result;
  }

  private void forward(CompletionStage<Void> stage, CompletableFuture<Void> result) {
    stage.whenComplete(
        (done, failure) -> {
          waiting.remove(result);
          if (failure == null) {
            result.complete(null);
          } else {
            result.completeExceptionally(failure);
          }
        });
  }

  private void fail(CompletableFuture<Void> result, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    waiting.remove(result);
    result.completeExceptionally(
        new CompletionException(
            cause instanceof Registry.RefusedException
                ? new Refused(413, String.valueOf(cause.getMessage()))
                : cause));
  }

  private static CompletionStage<Void> refused(int status, String text) {
    return CompletableFuture.failedFuture(new CompletionException(new Refused(status, text)));
  }

  @Override
  public void close() {
    closed = true;
    timers.close();
    for (CompletableFuture<Void> each : List.copyOf(waiting)) {
      each.completeExceptionally(
          new CompletionException(
              new Refused(
                  503, "This master leads no longer; whether the change was stored is not known")));
    }
    waiting.clear();
  }
}

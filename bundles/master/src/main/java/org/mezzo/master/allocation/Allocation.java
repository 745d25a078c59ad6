package org.mezzo.master.allocation;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.mezzo.api.Metrics;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.InverseOffer;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Recovery;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.Offers;
import org.mezzo.master.transitions.Reclaiming;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Transition;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseListener;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLease.Terms;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The master's side of the allocator lease during one term. A holder gets the whole ledger first
 * and then every change of it in order; cycles are coalesced and at most one runs at a time
 * (hierarchical-allocator section 3). What comes back is checked against the ledger: an allocator
 * that is stale, wrong or hostile can propose what it likes and gets nothing by it. Belongs to the
 * event loop.
 */
public final class Allocation implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Allocation.class);
  private static final String START = "start";
  private static final String ALLOCATE = "allocate";
  private static final String INVERSE_OFFERS = "inverseOffers";

  /** An operation that throws so often in a row, also in fresh instances, is the module's fault. */
  private static final int MOST_THROWS = Kinds.ALLOCATOR.breaker().calls();

  /** An allocator that misses changes again and again is not begun anew more often than this. */
  private static final Duration REBUILD_PAUSE = Duration.ofSeconds(1);

  private static final String EXPLAIN = "explain";

  /** Questions of operators that the holder has not answered; more are refused. */
  private static final int MOST_QUESTIONS = 4;

  private static final OfferExplanation WITHOUT_ALLOCATOR =
      OfferExplanation.builder()
          .everywhere(
              List.of(
                  Hindrance.builder(
                          Hindrance.Reason.NO_ALLOCATOR,
                          "there is no allocator; /mezzo/modules says what has become of it")
                      .build()))
          .build();

  private static final Duration START_DEADLINE = Duration.ofSeconds(60);
  private static final String DROPPED = "allocator/mezzo/proposals_dropped";
  private static final Duration TIMER_WINDOW = Duration.ofHours(1);

  /**
   * Proposals that are looked at in one go, so that the loop is never held for long: of the first
   * ones each takes half a millisecond, for nothing of it has run before.
   */
  private static final int BATCH = 100;

  /** Offers in one event; more of a run follow in further ones. A multiple of the batch. */
  private static final int MOST_IN_EVENT = 1_000;

  private final EventLoop loop;
  private final Clock clock;
  private final AllocatorOptions options;
  private final Supplier<MasterState> state;
  private final Consumer<Step> run;
  private final MetricsRegistry metrics;
  private final Metrics.Counter dropped;
  private final Metrics.Counter failed;
  private final Metrics.Counter runs;
  private final Metrics.Counter questions;
  private final Metrics.Counter refusedQuestions;
  private final MetricsRegistry.Timer runTime;
  private final MetricsRegistry.Timer runLatency;

  private volatile ModuleLease<Allocator> lease;
  private volatile long epoch;
  private int asking;
  private boolean cycling;
  private boolean cycleQueued;
  private boolean all;
  private long requestedNanos;
  private Set<String> candidates = new HashSet<>();
  private long calls;

  /** The agents that the present cycle looks at; empty means all of them. */
  private Optional<Set<String>> cycled = Optional.empty();

  /** Proposals of cycles before this call are void. */
  private long voidBefore;

  private final Map<String, Long> agentAddedAt = new HashMap<>();
  private Optional<Set<String>> whitelist = Optional.empty();

  /** Empty until the registry has been read. */
  private Optional<Recovery> recovery = Optional.empty();

  private EventLoop.Timer batches = () -> {};
  private boolean closed;

  /** The epoch whose holder is about to be replaced, having missed something. */
  private long rebuilding;

  /**
   * How often each operation has thrown since it last returned, whichever instance of the module it
   * was: the lease knows of one instance only, and what else succeeds in between hides it there.
   */
  private final Map<String, Integer> thrown = new HashMap<>();

  /** The bundle that {@link #thrown} is about. */
  private long thrownBy;

  /**
   * Begins vacant.
   *
   * @param state the published root
   * @param run runs a step as a transition
   */
  public Allocation(
      EventLoop loop,
      Clock clock,
      AllocatorOptions options,
      Supplier<MasterState> state,
      Consumer<Step> run,
      MetricsRegistry metrics) {
    this.loop = loop;
    this.clock = clock;
    this.options = options;
    this.state = state;
    this.run = run;
    this.metrics = metrics;
    this.dropped = metrics.counter(DROPPED);
    this.failed = metrics.counter("allocator/mezzo/calls_failed");
    this.questions = metrics.counter("allocator/mezzo/questions");
    this.refusedQuestions = metrics.counter("allocator/mezzo/questions_refused");
    this.runs = metrics.counter("allocator/mesos/allocation_runs");
    this.runTime = metrics.timer("allocator/mesos/allocation_run_ms", TIMER_WINDOW);
    this.runLatency = metrics.timer("allocator/mesos/allocation_run_latency_ms", TIMER_WINDOW);
    metrics.gauge("allocator/mezzo/present", () -> epoch == 0 ? 0 : 1);
  }

  /** How many calls the holder has not seen yet. Safe for any thread. */
  public int waitingCalls() {
    ModuleLease<Allocator> present = lease;
    return present == null ? 0 : present.backlog();
  }

  /** Says that an allocator is gone, unless another one has taken over in the same moment. */
  private void reportAbsence(ModuleDescription module, String reason) {
    if (!closed && epoch == 0) {
      LOG.warn(
          "Allocator {} is gone ({}): no new offers are made until there is another; everything"
              + " else goes on",
          module.name(),
          reason);
    }
  }

  /** To be told of the lease. */
  public LeaseListener listener() {
    return new LeaseListener() {
      @Override
      public void acquired(long newEpoch, ModuleDescription module) {
        begin(newEpoch, module);
      }

      @Override
      public void lost(long oldEpoch, ModuleDescription module, String reason) {
        if (epoch == oldEpoch) {
          epoch = 0;
          cycling = false;
          loop.execute(() -> reportAbsence(module, reason));
        }
      }
    };
  }

  /** The lease to use; must be given before the listener is called. */
  public void use(ModuleLease<Allocator> newLease) {
    lease = newLease;
  }

  /** Whether there is an allocator. */
  public boolean present() {
    return epoch != 0;
  }

  private void begin(long newEpoch, ModuleDescription module) {
    if (closed) {
      return;
    }
    epoch = newEpoch;
    cycling = false;
    calls = 0;
    voidBefore = 0;
    agentAddedAt.clear();
    if (thrownBy != module.bundleId()) {
      thrownBy = module.bundleId();
      thrown.clear();
    }
    MasterState root = state.get();
    Instant now = clock.instant();
    Optional<Set<String>> offerable = whitelist;
    Optional<Recovery> found = recovery;
    LOG.info(
        "Allocator {} {} takes over {} agents and {} frameworks",
        module.name(),
        module.version(),
        root.agents().size(),
        root.frameworks().size());
    // Put together on the holder's thread, which alone waits for it: the root does not change.
    call(
        Terms.of(START).within(START_DEADLINE).vital(),
        it ->
            it.start(
                options, Offers.ledger(root, now, offerable).toBuilder().recovery(found).build()));
    request(Optional.empty());
  }

  /** Tells the holder of a change of the ledger; nobody when vacant. */
  public void tell(String operation, Consumer<Allocator> change) {
    if (epoch != 0) {
      call(Terms.of(operation), change);
    }
  }

  /** Has what the holder proposed before the last call dropped, and given back to it. */
  public void voidProposals() {
    voidBefore = calls;
  }

  /** Notes that the holder knows the agent from its next call on. */
  public void agentAdded(String agentId) {
    agentAddedAt.put(agentId, calls);
  }

  /** Forgets an agent. */
  public void agentRemoved(String agentId) {
    agentAddedAt.remove(agentId);
  }

  private void call(Terms terms, Consumer<Allocator> change) {
    calls++;
    long to = epoch;
    lease
        .tell(terms.only(to), change::accept)
        .whenComplete(
            (told, failure) -> {
              if (failure == null) {
                thrown.remove(terms.operation());
              } else if (!ModuleException.isDeparture(failure)) {
                // Whoever comes next is told the whole ledger.
                failed.increment();
                missed(to, terms.operation(), failure);
              }
            });
  }

  /**
   * Its index may not be what the ledger is any more: a fresh instance gets the whole ledger. Where
   * fresh instances fail in the same way, the module is to blame.
   */
  private void missed(long to, String operation, Throwable failure) {
    if (closed || to != epoch) {
      return;
    }
    int row = ModuleException.isFault(failure) ? thrown.merge(operation, 1, Integer::sum) : 0;
    if (row >= MOST_THROWS) {
      rebuilding = to;
      String problem =
          row + " calls in a row threw, the last one (" + operation + "): " + failure.getMessage();
      lease.renew(to, problem, true);
    } else if (rebuilding != to) {
      rebuilding = to;
      LOG.warn(
          "The allocator failed in {}, and what it knows cannot be relied on; it begins anew with"
              + " the whole ledger",
          operation,
          failure);
      if (operation.equals(START)) {
        lease.renew(to, "it could not take over the ledger: " + failure.getMessage(), true);
      } else {
        loop.schedule(REBUILD_PAUSE, () -> lease.renew(to, operation + " failed in it", false));
      }
    }
  }

  /** Asks for a cycle over one agent, or over all; requests that come together become one cycle. */
  public void request(Optional<String> agentId) {
    if (agentId.isPresent()) {
      candidates.add(agentId.get());
    } else {
      all = true;
    }
    if (!cycleQueued && !cycling && epoch != 0) {
      cycleQueued = true;
      requestedNanos = System.nanoTime();
      loop.execute(this::cycle);
    }
  }

  /** Asks for a cycle over all agents, again and again. */
  public void requestEvery(Duration interval) {
    batches.cancel();
    batches = loop.every(interval, () -> request(Optional.empty()));
  }

  private void cycle() {
    cycleQueued = false;
    if (closed || epoch == 0 || cycling || (!all && candidates.isEmpty())) {
      return;
    }
    Optional<Set<String>> now = all ? Optional.empty() : Optional.of(Set.copyOf(candidates));
    all = false;
    candidates = new HashSet<>();
    cycling = true;
    cycled = now;
    long to = epoch;
    long number = ++calls;
    long begin = System.nanoTime();
    runLatency.recordNanos(begin - requestedNanos);
    lease
        .ask(
            Terms.of(ALLOCATE).only(to),
            // The list is the module's code; it must not run on the loop, nor change there.
            allocator ->
                grouped(Objects.requireNonNull(allocator.allocate(now), "allocate returned null")))
        .whenComplete(
            (proposals, failure) -> {
              if (to != epoch || closed) {
                if (proposals != null) {
                  dropped.add(proposals.stream().mapToLong(List::size).sum());
                }
                return;
              }
              if (ModuleException.isDeparture(failure)) {
                over();
                return;
              }
              runs.increment();
              runTime.recordNanos(System.nanoTime() - begin);
              if (failure != null || proposals == null) {
                failed.increment();
                LOG.warn(
                    "An allocation cycle gave nothing; the next one is tried in time", failure);
                if (ModuleException.isFault(failure)) {
                  missed(to, ALLOCATE, failure);
                }
                over();
              } else {
                thrown.remove(ALLOCATE);
                offer(new Cursor(to, number, proposals, 0, 0, List.of()));
              }
            });
  }

  /** Asks whom to ask for what they hold on agents that are planned for, if there are any. */
  private void reclaim() {
    if (state.get().maintenance().planned().isEmpty()) {
      over();
      return;
    }
    long to = epoch;
    Optional<Set<String>> looked = cycled;
    lease
        .ask(
            Terms.of(INVERSE_OFFERS).only(to),
            allocator ->
                new ArrayList<>(
                    Objects.requireNonNull(
                        allocator.inverseOffers(looked), "inverseOffers returned null")))
        .whenComplete(
            (wanted, failure) -> {
              if (to != epoch || closed) {
                return;
              }
              if (failure != null && !ModuleException.isDeparture(failure)) {
                failed.increment();
                LOG.warn("The allocator does not say whom to ask for maintenance", failure);
                if (ModuleException.isFault(failure)) {
                  missed(to, INVERSE_OFFERS, failure);
                }
              } else if (failure == null) {
                thrown.remove(INVERSE_OFFERS);
                wanted.removeIf(Objects::isNull);
                ask(wanted);
              }
              over();
            });
  }

  /** A batch in each turn of the loop. */
  private void ask(List<InverseOffer> wanted) {
    if (closed || wanted.isEmpty()) {
      return;
    }
    int now = Math.min(wanted.size(), BATCH);
    List<InverseOffer> first = List.copyOf(wanted.subList(0, now));
    List<InverseOffer> rest = List.copyOf(wanted.subList(now, wanted.size()));
    run.accept(tx -> Reclaiming.ask(tx, first));
    if (!rest.isEmpty()) {
      loop.execute(() -> ask(rest));
    }
  }

  private void over() {
    cycling = false;
    if (all || !candidates.isEmpty()) {
      cycleQueued = true;
      requestedNanos = System.nanoTime();
      loop.execute(this::cycle);
    }
  }

  /** By framework; those that are null are left out. */
  private static List<List<Proposal>> grouped(List<Proposal> proposals) {
    Map<String, List<Proposal>> byFramework = new LinkedHashMap<>();
    for (Proposal proposal : proposals) {
      if (proposal != null) {
        byFramework
            .computeIfAbsent(proposal.frameworkId(), unused -> new ArrayList<>())
            .add(proposal);
      }
    }
    return new ArrayList<>(byFramework.values());
  }

  /**
   * How far a cycle's proposals have been gone through.
   *
   * @param from epoch of the allocator that made them
   * @param number of the call they are the answer to
   * @param groups all of them, by framework
   * @param group the group to go on with
   * @param position the proposal of it to go on with
   * @param made ids of the offers made for the framework of the group so far
   */
  private record Cursor(
      long from,
      long number,
      List<List<Proposal>> groups,
      int group,
      int position,
      List<String> made) {
    boolean atEnd() {
      return group == groups.size();
    }
  }

  /** Goes through the proposals framework by framework, a batch in each turn of the loop. */
  private void offer(Cursor cursor) {
    if (closed) {
      return;
    }
    if (cursor.atEnd()) {
      if (cursor.from() == epoch) {
        reclaim();
      }
      return;
    }
    boolean stale = cursor.from() != epoch;
    boolean superseded = cursor.number() < voidBefore;
    Set<String> known = known(cursor);
    run.accept(tx -> consider(tx, cursor, stale, superseded, known));
  }

  /** The agents in the next batch of which the allocator had been told when it was asked. */
  private Set<String> known(Cursor cursor) {
    Set<String> known = new HashSet<>();
    int left = BATCH;
    int position = cursor.position();
    for (int group = cursor.group(); group < cursor.groups().size() && left > 0; group++) {
      List<Proposal> proposals = cursor.groups().get(group);
      for (; position < proposals.size() && left > 0; position++, left--) {
        String agentId = proposals.get(position).agentId();
        if (agentAddedAt.getOrDefault(agentId, 0L) < cursor.number()) {
          known.add(agentId);
        }
      }
      position = 0;
    }
    return known;
  }

  /**
   * Makes offers of the next batch.
   *
   * @param stale whether the allocator is gone
   * @param superseded whether it did not know the weights and quotas of now
   * @param known agents of which it had been told
   */
  private void consider(
      Transition tx, Cursor cursor, boolean stale, boolean superseded, Set<String> known) {
    int left = BATCH;
    int group = cursor.group();
    int position = cursor.position();
    List<String> made = new ArrayList<>(cursor.made());
    while (left > 0 && group < cursor.groups().size()) {
      List<Proposal> proposals = cursor.groups().get(group);
      while (left > 0 && position < proposals.size()) {
        left--;
        Proposal proposal = proposals.get(position++);
        Optional<String> objection =
            stale
                ? Optional.of("its allocator is gone")
                : superseded
                    ? Optional.of("weights or quotas have changed since")
                    : Offers.objection(tx.state(), proposal);
        if (objection.isEmpty()) {
          made.add(Offers.make(tx, proposal).id());
          if (made.size() == MOST_IN_EVENT) {
            Offers.announce(tx, proposal.frameworkId(), made);
            made = new ArrayList<>();
          }
        } else {
          LOG.debug("Dropped {}: {}", proposal, objection.get());
          drop(tx, proposal, !stale && known.contains(proposal.agentId()));
        }
      }
      if (position == proposals.size()) {
        Offers.expireFilters(tx, proposals.get(0).frameworkId());
        Offers.announce(tx, proposals.get(0).frameworkId(), made);
        made = new ArrayList<>();
        position = 0;
        group++;
      }
    }
    Cursor next =
        new Cursor(
            cursor.from(), cursor.number(), cursor.groups(), group, position, List.copyOf(made));
    tx.answer(
        () -> {
          if (next.atEnd()) {
            offer(next);
          } else {
            loop.execute(() -> offer(next));
          }
        });
  }

  private static void drop(Transition tx, Proposal proposal, boolean known) {
    tx.count(DROPPED);
    if (known && tx.state().agents().containsKey(proposal.agentId())) {
      // The allocator regards it as offered; an agent it was told of later is not meant.
      tx.tell(
          "released",
          it -> it.released(proposal.frameworkId(), proposal.agentId(), proposal.resources()));
    }
  }

  /** Sets the hostnames that may be offered; empty means all. */
  public void whitelist(Optional<Set<String>> hostnames) {
    if (!hostnames.equals(whitelist)) {
      whitelist = hostnames;
      tell("whitelistUpdated", it -> it.whitelistUpdated(hostnames));
    }
  }

  /**
   * Notes that the registry has been read; the allocator decides whether to wait for those that
   * were in there. To be called once, when the quotas of the registry were told.
   *
   * @param agents how many agents it had
   */
  public void recovered(int agents) {
    Recovery found = Recovery.builder(agents, clock.instant()).build();
    recovery = Optional.of(found);
    tell("recovered", it -> it.recovered(found));
  }

  /**
   * Asks the holder why a framework is offered nothing. Changes of the ledger and the next cycle
   * wait behind it, so few are asked at a time.
   *
   * @return the explanation, on the event loop; empty when the holder does not explain itself, or
   *     to the same when there is none, as a hindrance; fails with {@link BusyException}, or with
   *     {@link ModuleException} when the holder failed
   */
  public CompletionStage<Optional<OfferExplanation>> explain(OfferQuestion question) {
    if (epoch == 0) {
      return CompletableFuture.completedStage(Optional.of(WITHOUT_ALLOCATOR));
    }
    if (asking == MOST_QUESTIONS) {
      refusedQuestions.increment();
      return CompletableFuture.failedStage(new BusyException());
    }
    asking++;
    questions.increment();
    return lease
        .ask(
            EXPLAIN,
            allocator ->
                Objects.requireNonNull(allocator.explain(question), "explain returned null"))
        .whenComplete((answer, failure) -> asking--);
  }

  /** Too many ask the allocator at a time. */
  public static final class BusyException extends Exception {
    private static final long serialVersionUID = 1L;

    BusyException() {
      super("The allocator is asked %d questions already; ask later".formatted(MOST_QUESTIONS));
    }
  }

  /** Selects another allocator by name: handed over as in a swap. */
  public void select(String name) {
    lease.select(name);
  }

  @Override
  public void close() {
    closed = true;
    epoch = 0;
    batches.cancel();
    if (lease != null) {
      lease.close();
    }
    metrics.remove("allocator/mezzo/present");
  }
}

package org.mezzo.master.election;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseListener;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.Subscription;
import org.mezzo.protocol.v1.MasterInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a module stand for election. What it says grants nothing by itself: a term begins with the
 * registry, which the session opens for one master at a time, and a master whose module is swapped
 * keeps its term while nobody says that it has lost.
 */
public final class ContendingModule implements Election {
  private static final Logger LOG = LoggerFactory.getLogger(ContendingModule.class);

  /** After so long a module that has failed to enter, or a registry to open, is asked again. */
  private static final Duration RETRY = Duration.ofMillis(500);

  /** How long giving up may take: as long as a module has for {@code leave}, and a little. */
  private static final Duration LEAVING = Duration.ofSeconds(11);

  private final EventLoop loop;
  private final MasterInfo self;
  private final Coordination.Session session;
  private final Duration patience;
  private final ModuleLease<MasterContender> lease;

  // For the loop only.

  private Optional<Candidate> candidate = Optional.empty();

  /** Who was asked to enter by its takeover, last. */
  private Optional<Candidate> takenOver = Optional.empty();

  /** The epoch of the module that speaks for this master; 0 for none. */
  private long holder;

  /** What it has said last; empty before it has said anything. */
  private Optional<Standing> standing = Optional.empty();

  /** Whether a registry is being opened. */
  private boolean beginning;

  private EventLoop.Timer doubt = () -> {};
  private EventLoop.Timer retry = () -> {};
  private String trouble = "";

  /**
   * Leases the module of that name.
   *
   * @param self how the master is to be known
   * @param session opens registries; closed with this
   */
  public ContendingModule(
      DaemonModules modules,
      String name,
      EventLoop loop,
      MasterInfo self,
      Coordination.Session session) {
    this(modules, name, loop, self, session, Duration.ofSeconds(MasterContender.PATIENCE_SECONDS));
  }

  /**
   * As above.
   *
   * @param patience how long a term goes on while nobody says that this master leads
   */
  ContendingModule(
      DaemonModules modules,
      String name,
      EventLoop loop,
      MasterInfo self,
      Coordination.Session session,
      Duration patience) {
    this.loop = loop;
    this.self = self;
    this.session = session;
    this.patience = patience;
    lease =
        modules
            .leases()
            .lease(
                modules
                    .request(Kinds.MASTER_CONTENDER, name, loop)
                    .heardBy(new Holders())
                    .after(this::prepare)
                    .subscribe(
                        Subscription.level("standing", MasterContender::report, this::reported)));
  }

  /** Lets another module stand for election, from when it has opened. Safe for any thread. */
  public void select(String name) {
    lease.select(name);
  }

  @Override
  public Place contend(Listener listener) {
    Candidate next = new Candidate(listener);
    if (loop.inLoop()) {
      enter(next);
    } else {
      loop.execute(() -> enter(next));
    }
    return next;
  }

  private void enter(Candidate next) {
    if (next.over) {
      return;
    }
    candidate = Optional.of(next);
    // Who stands for election goes on doing so after a loss, and may have won again by now.
    if (standing.isPresent()) {
      heed();
    }
    ask(next);
  }

  /** Tells whoever holds the lease to enter, which changes nothing for one that has. */
  private void ask(Candidate who) {
    long asked = holder;
    if (asked == 0 || who.over) {
      return;
    }
    lease
        .tell(ModuleLease.Terms.of("enter").only(asked), module -> module.enter(self))
        .whenComplete(
            (done, failure) -> {
              if (failure != null && holder == asked && !who.over) {
                LOG.warn(
                    "This master could not enter the election, trying again: {}",
                    failure.getMessage());
                loop.schedule(RETRY, () -> ask(who));
              }
            });
  }

  /** An instance that takes over enters before the one before it leaves. */
  private ModuleLease.Action<MasterContender> prepare() {
    takenOver = candidate;
    return candidate.isPresent() ? module -> module.enter(self) : module -> {};
  }

  private void held(long epoch) {
    if (epoch > holder) {
      holder = epoch;
      standing = Optional.empty();
      beginDoubt();
    }
  }

  private void beginDoubt() {
    doubt.cancel();
    doubt =
        loop.schedule(
            patience,
            () ->
                lose(
                    holder == 0
                        ? "nothing stands for election any more"
                        : "its contender has said nothing for " + patience.toSeconds() + " s"));
  }

  private void reported(Standing now, long epoch) {
    held(epoch);
    if (!standing.equals(Optional.of(now))) {
      standing = Optional.of(now);
      heed();
    }
  }

  private void heed() {
    Standing now = standing.orElseThrow();
    doubt.cancel();
    retry.cancel();
    if (!now.isLeading()) {
      lose(now.reason());
    } else {
      candidate.ifPresent(
          it -> it.registry.ifPresentOrElse(registry -> check(it, registry), () -> begin(it, now)));
    }
  }

  /**
   * Sees to it that a term which goes on, after a swap or a loss that was over before it was told,
   * is still that of the registry: it is not when another master has led in between.
   */
  private void check(Candidate who, Registry registry) {
    registry
        .apply(List.of())
        .whenComplete(
            (done, failure) -> {
              if (failure != null && !who.over) {
                lose("another master has led meanwhile: " + failure.getMessage());
              }
            });
  }

  /** Asks for one registry at a time: each that is opened ends the one before. */
  private void begin(Candidate who, Standing by) {
    if (who.over || beginning) {
      return;
    }
    beginning = true;
    session
        .begin(by.claim())
        .whenComplete((registry, failure) -> begun(who, by, registry, failure));
  }

  private void begun(Candidate who, Standing by, Optional<Registry> registry, Throwable failure) {
    beginning = false;
    if (who.over || !standing.equals(Optional.of(by))) {
      Optional.ofNullable(registry)
          .flatMap(it -> it)
          .ifPresent(it -> it.end("the election was lost meanwhile"));
      standing.filter(Standing::isLeading).ifPresent(now -> heed());
      return;
    }
    if (failure == null && registry.isPresent()) {
      trouble = "";
      who.registry = registry;
      who.listener.elected(registry.get());
      return;
    }
    String what =
        failure == null
            ? "what its contender claims is not there: " + by.claim().orElse("nothing")
            : failure.toString();
    if (!what.equals(trouble)) {
      trouble = what;
      LOG.warn("This master was elected and has no registry yet, trying again: {}", what);
    }
    retry = loop.schedule(RETRY, () -> begin(who, by));
  }

  /** Ends the term, if there is one; without one there is nothing to lose but a place. */
  private void lose(String reason) {
    candidate
        .filter(it -> it.registry.isPresent())
        .ifPresent(
            it -> {
              it.end(reason);
              it.listener.lost(reason);
            });
  }

  @Override
  public void close() {
    lease.close();
    session.close();
  }

  private final class Holders implements LeaseListener {
    @Override
    public void acquired(long epoch, ModuleDescription module) {
      held(epoch);
      candidate.filter(it -> !takenOver.equals(candidate)).ifPresent(ContendingModule.this::ask);
    }

    @Override
    public void lost(long epoch, ModuleDescription module, String reason) {
      if (epoch == holder) {
        holder = 0;
        standing = Optional.empty();
        retry.cancel();
        beginDoubt();
      }
    }
  }

  private final class Candidate implements Place {
    private final Listener listener;

    // For the loop only.

    private Optional<Registry> registry = Optional.empty();
    private boolean over;

    Candidate(Listener listener) {
      this.listener = listener;
    }

    private void end(String reason) {
      over = true;
      retry.cancel();
      registry.ifPresent(it -> it.end(reason));
      if (candidate.equals(Optional.of(this))) {
        candidate = Optional.empty();
      }
    }

    @Override
    public void close() {
      CompletableFuture<Void> left = new CompletableFuture<>();
      loop.execute(() -> leave(left));
      try {
        left.get(LEAVING.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (TimeoutException | ExecutionException e) {
        LOG.warn("The contender did not confirm that it has left the election: {}", e.toString());
      }
    }

    private void leave(CompletableFuture<Void> left) {
      if (over) {
        left.complete(null);
        return;
      }
      end("resigned");
      standing = Optional.empty();
      lease
          .tell("leave", MasterContender::leave)
          .whenComplete(
              (done, failure) -> {
                // What it had reported before it left.
                standing = Optional.empty();
                listener.lost("resigned");
                if (failure == null || ModuleException.isAbsence(failure)) {
                  left.complete(null);
                } else {
                  left.completeExceptionally(failure);
                }
              });
    }
  }
}

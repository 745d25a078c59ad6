package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.mezzo.api.Module;
import org.mezzo.modules.ModuleConfiguration.Changed;
import org.mezzo.modules.ModuleConfiguration.Manner;
import org.mezzo.modules.ModuleLease.Terms;

/**
 * How a lease comes to an instance that works with the parameters that are set now: its holder is
 * asked whether it takes them while it runs, and another one is opened where it does not. An
 * instance that fails with them speaks against them and not against its module, so that nothing is
 * quarantined while a holder serves. Guarded by the lock of the table.
 */
final class Reconfiguration<M extends Module> {
  private static final String OPERATION = "reconfigured";

  /** A change on its way. */
  private record Change(Map<String, String> wanted, CompletableFuture<Changed> done) {}

  /** What a holder says: whether it took them, or why they cannot be taken. */
  private record Answer(boolean taken, Optional<String> refusal) {}

  private final Lease<M> lease;
  private final LeaseTable table;
  private Optional<Change> change = Optional.empty();

  Reconfiguration(Lease<M> lease) {
    this.lease = lease;
    this.table = lease.table();
  }

  /** Begins to have it so; what was on its way before is over. */
  CompletableFuture<Changed> begin() {
    end(Manner.FAILED, "another change came");
    CompletableFuture<Changed> done = new CompletableFuture<>();
    Optional<Holder<M>> holder = lease.serving();
    Map<String, String> wanted =
        table.configuration().values(lease.request().kind().name(), lease.name());
    Change begun = new Change(wanted, done);
    change = Optional.of(begun);
    lease.dropOutdatedOpening(wanted);
    if (holder.filter(it -> it.values().equals(wanted) || !lease.isOfItsName(it)).isPresent()) {
      end(Manner.NONE, "");
      return done;
    }
    Duration patience = table.limits().openDeadline().multipliedBy(2);
    table.schedule(
        patience.plus(lease.request().kind().handover()),
        () -> {
          if (change.filter(it -> it == begun).isPresent()) {
            end(Manner.FAILED, "it has not worked with them within " + Mailbox.text(patience));
          }
        });
    if (holder.isPresent()) {
      table.afterwards(() -> ask(holder.get(), begun));
    } else {
      lease.pardon();
      if (!lease.isOpening()) {
        end(Manner.NONE, "");
      }
    }
    return done;
  }

  private void ask(Holder<M> holder, Change asked) {
    lease
        .ask(
            Terms.of(OPERATION).only(holder.epoch()),
            module -> answer(module, holder, asked.wanted))
        .whenComplete(
            (answer, failure) -> table.locked(() -> answered(holder, asked, answer, failure)));
  }

  /** On a thread of the lease. What it throws is a no to the values, and no fault of the module. */
  private Answer answer(M module, Holder<M> holder, Map<String, String> wanted) {
    Map<String, String> parameters;
    try {
      parameters =
          table
              .configuration()
              .parameters(
                  holder.registration(), lease.daemon(), lease.context().parameters(), wanted);
    } catch (IllegalArgumentException e) {
      return new Answer(false, Optional.of(e.getMessage()));
    }
    try {
      return new Answer(module.reconfigured(parameters), Optional.empty());
    } catch (Exception e) {
      return new Answer(false, Optional.of(Thrown.of(e).text()));
    }
  }

  private void answered(Holder<M> holder, Change asked, Answer answer, Throwable failure) {
    if (change.filter(it -> it == asked).isEmpty()) {
      return;
    }
    Map<String, String> wanted = asked.wanted;
    boolean holds = lease.serving().filter(it -> it == holder).isPresent();
    if (!holds && !lease.isOpening()) {
      end(
          lease.serving().filter(it -> it.values().equals(wanted)).isPresent()
              ? Manner.RENEWED
              : Manner.FAILED,
          failure == null ? "it is gone" : failure.getMessage());
    } else if (holds && failure != null) {
      end(Manner.FAILED, failure.getMessage());
    } else if (holds && answer.refusal.isPresent()) {
      end(Manner.FAILED, answer.refusal.get());
    } else if (holds && answer.taken) {
      holder.worksWith(wanted);
      end(Manner.LIVE, "");
    } else if (holds) {
      lease.beginAnew();
      if (!lease.isOpening()) {
        end(Manner.FAILED, "no instance of it can be opened now");
      }
    }
  }

  /** Another instance holds the lease. */
  void moved(Holder<M> successor) {
    if (change.filter(it -> it.wanted.equals(successor.values())).isPresent()) {
      end(Manner.RENEWED, "");
    }
  }

  /**
   * An instance that was to hold the lease has failed.
   *
   * @return whether that speaks against its parameters alone: it was opened for these, beside a
   *     holder that goes on
   */
  boolean failed(Holder<M> successor, String problem) {
    boolean ours = change.filter(it -> it.wanted.equals(successor.values())).isPresent();
    if (ours) {
      end(Manner.FAILED, problem);
    }
    return ours && lease.serving().isPresent();
  }

  /** The lease ends. */
  void close() {
    end(Manner.NONE, "");
  }

  private void end(Manner manner, String problem) {
    change.ifPresent(
        ended -> {
          Changed changed =
              new Changed(lease.daemon(), manner, manner == Manner.FAILED ? problem : "");
          table.afterwards(() -> ended.done.complete(changed));
        });
    change = Optional.empty();
  }
}

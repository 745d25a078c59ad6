package org.mezzo.agent.registration;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.mezzo.api.Metrics;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleChain;
import org.mezzo.modules.ModuleChain.Member;
import org.mezzo.modules.ModuleChain.Selection;
import org.mezzo.modules.ModuleException;
import org.mezzo.protocol.v1.MasterInfo;

/**
 * What one agent shows masters to be let in, as its authenticatee says: header fields that can be
 * sent, or the reason why there are none. They are held no longer than it takes to open a link.
 * Safe for any thread.
 */
public final class LinkCredentials implements AutoCloseable {
  /** The module that there is without more. */
  public static final String DEFAULT = "basic";

  private final ModuleChain<Authenticatee> authenticatees;
  private final Executor events;
  private final Metrics.Counter failed;

  /**
   * Leases the authenticatee that is chosen.
   *
   * @param name of its module
   * @param events where answers arrive
   */
  public LinkCredentials(DaemonModules modules, String name, Executor events, Metrics metrics) {
    authenticatees = modules.chain(Kinds.AUTHENTICATEE, List.of(name), events);
    this.events = events;
    failed = metrics.counter("slave/mezzo/authentications_failed");
  }

  /** That module is asked before the next link, once it has opened. */
  public void select(String name) {
    authenticatees.select(List.of(name));
  }

  /**
   * Asks what to show a master, once an authenticatee has opened that is about to.
   *
   * @return header fields; fails with an {@link IOException}, which has a message for people, where
   *     there are none that can be sent. Completes where answers arrive. To cancel it takes the
   *     question back
   */
  public CompletableFuture<Map<String, String>> of(MasterInfo master) {
    CompletableFuture<Map<String, String>> answer = new CompletableFuture<>();
    authenticatees.opened().thenRunAsync(() -> ask(master, answer), events);
    return answer;
  }

  private void ask(MasterInfo master, CompletableFuture<Map<String, String>> answer) {
    if (answer.isDone()) {
      return;
    }
    Selection<Authenticatee> selection = authenticatees.now();
    if (selection.members().isEmpty()) {
      selection.close();
      answer.completeExceptionally(new IOException("the agent ends"));
      return;
    }
    Member<Authenticatee> member = selection.members().get(0);
    CompletableFuture<Credentials> question =
        member
            .lease()
            .ask(
                "authenticate",
                module ->
                    Objects.requireNonNull(
                        module.authenticate(master), "authenticate returned null"))
            .toCompletableFuture();
    question.whenComplete(
        (credentials, failure) -> {
          selection.close();
          if (!answer.isDone()) {
            conclude(member.name(), credentials, failure, answer);
          }
        });
    answer.whenComplete(
        (fields, failure) -> {
          if (answer.isCancelled()) {
            question.cancel(true);
          }
        });
  }

  private void conclude(
      String name,
      Credentials credentials,
      Throwable failure,
      CompletableFuture<Map<String, String>> answer) {
    Optional<String> problem =
        failure == null
            ? credentials
                .problem()
                .map(it -> it + "; repair it or give --authenticatee another one")
            : Optional.of(reason(failure));
    if (problem.isEmpty()) {
      answer.complete(credentials.fields());
    } else {
      failed.increment();
      answer.completeExceptionally(
          new IOException("authenticatee '" + name + "' " + problem.get(), failure));
    }
  }

  private static String reason(Throwable failure) {
    if (ModuleException.isAbsence(failure)) {
      return "is not available; install its module or give --authenticatee another one";
    }
    if (ModuleException.kindOf(failure).filter(ModuleException.Kind.LATE::equals).isPresent()) {
      // Where its thread is stuck the lease has told.
      return "did not answer in time; repair it or give --authenticatee another one";
    }
    Throwable root = failure;
    while (!(root instanceof ModuleException) && root.getCause() != null) {
      root = root.getCause();
    }
    boolean thrown = root.getCause() != null && root.getCause().getMessage() != null;
    return "failed: " + (thrown ? root.getCause().getMessage() : root.getMessage());
  }

  @Override
  public void close() {
    authenticatees.close();
  }
}

package org.mezzo.master.reads;

import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.Metrics;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.Ids;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.state.ClusterView;

/**
 * Answers those who ask for the published state again and again. Every answer carries a tag of the
 * root and of what the caller may see of it, and whoever brings that tag back gets 304: without
 * walking the state, and where nobody demands authorization without leaving the thread of the
 * request. Safe for any thread.
 */
public final class StateAnswers {
  private final Roots roots;
  private final Authorization authorization;
  private final Executor readers;
  private final String numbering = Ids.random();
  private final Metrics.Counter unchanged;

  /**
   * Answers about one cluster.
   *
   * @param readers where answers are made
   */
  public StateAnswers(
      ClusterView cluster, Authorization authorization, Executor readers, Metrics metrics) {
    this.roots = new Roots(cluster);
    this.authorization = authorization;
    this.readers = readers;
    unchanged = metrics.counter("master/mezzo/reads_unchanged");
  }

  /** Makes an answer from nothing but a root, what may be seen of it and the query. */
  @FunctionalInterface
  public interface Making {
    HttpResponse make(Root root, Visibility visibility);
  }

  /**
   * Answers, on a reader or at once; failures are answered as in {@link Router#when}.
   *
   * @param actions what is asked about; what belongs to another action is not visible where
   *     authorization is demanded
   * @throws Refused with 503 when there is no state yet (rule 12)
   */
  public void answer(
      HttpExchange exchange,
      Optional<Principal> principal,
      Collection<Action> actions,
      Making making)
      throws Refused {
    Root present = roots.now();
    if (!authorization.demanded() && spared(exchange, tag(present, Visibility.ALL))) {
      return;
    }
    Router.when(
        exchange,
        authorization.with(
            principal,
            actions,
            readers,
            approvers -> {
              Root root = roots.now();
              Visibility visibility = Visibility.of(approvers).decided(root.state());
              EntityTag tag = tag(root, visibility);
              if (!spared(exchange, tag)) {
                exchange.respond(tag.on(making.make(root, visibility)));
              }
              return true;
            }),
        Runnable::run,
        answered -> {});
  }

  private EntityTag tag(Root root, Visibility visibility) {
    return EntityTag.of(numbering, root, visibility);
  }

  /** Answers a client that has what it asks for. */
  private boolean spared(HttpExchange exchange, EntityTag tag) {
    if (!tag.heldBy(exchange)) {
      return false;
    }
    unchanged.add(1);
    exchange.respond(tag.unchanged());
    return true;
  }
}

package org.mezzo.master.reads;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.mezzo.api.Metrics;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.Ids;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.state.ClusterView;

/**
 * Answers those who ask for the published state again and again. Every answer carries a tag of the
 * root and of what the caller may see of it, and whoever brings that tag back gets 304: without
 * walking the state, and where nobody demands authorization without leaving the thread of the
 * request. Others share one answer, as far as they ask the same and see the same. Safe for any
 * thread.
 */
public final class StateAnswers {
  /** Of all kept answers, also compressed, together; less where an eighth of the heap is less. */
  private static final long MOST_KEPT_BYTES = 512L << 20;

  /** How long an answer is kept that nobody asks for. */
  private static final Duration KEPT_UNUSED = Duration.ofMinutes(1);

  private final Roots roots;
  private final Renderings renderings;
  private final Kept kept;
  private final Authorization authorization;
  private final Executor readers;
  private final EventLoop loop;
  private final AtomicBoolean forgetting = new AtomicBoolean();
  private final String numbering = Ids.random();
  private final Metrics.Counter unchanged;

  /**
   * Answers about one cluster.
   *
   * @param readers where answers are made
   * @param loop for the time after which they are forgotten
   */
  public StateAnswers(
      ClusterView cluster,
      Authorization authorization,
      Executor readers,
      EventLoop loop,
      Metrics metrics) {
    this.roots = new Roots(cluster);
    this.authorization = authorization;
    this.readers = readers;
    this.loop = loop;
    kept = new Kept(Math.min(MOST_KEPT_BYTES, Runtime.getRuntime().maxMemory() / 8));
    renderings = new Renderings(roots, readers, kept, metrics);
    metrics.gauge("master/mezzo/reads_kept_bytes", kept::bytes);
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
   * @param path of the endpoint, however the request writes it
   * @param parameters of the query, as far as the answer depends on them
   * @throws Refused with 503 when there is no state yet (rule 12)
   */
  public void answer(
      HttpExchange exchange,
      Optional<Principal> principal,
      Collection<Action> actions,
      String path,
      Map<String, String> parameters,
      Making making)
      throws Refused {
    Making tagged = (root, visibility) -> tagged(root, visibility, making);
    if (authorization.demanded()) {
      seen(
          exchange,
          principal,
          actions,
          path,
          parameters,
          tagged,
          (root, visibility) -> spared(exchange, tag(root, visibility)));
    } else if (!spared(exchange, tag(roots.now(), Visibility.ALL))) {
      everybodys(exchange, path, parameters, tagged);
    }
  }

  /**
   * Answers a call of an API, whose answers are shared like those of endpoints. They have no tag:
   * what is asked by POST is not asked for again under a condition.
   *
   * @param call its type; it has nothing in it that the answer depends on
   * @param accept how the answer is written
   * @throws Refused as above
   */
  public void answerCall(
      HttpExchange exchange,
      Optional<Principal> principal,
      Collection<Action> actions,
      String call,
      String accept,
      Making making)
      throws Refused {
    Map<String, String> parameters = Map.of("accept", accept);
    if (authorization.demanded()) {
      seen(exchange, principal, actions, call, parameters, making, (root, visibility) -> false);
    } else {
      everybodys(exchange, call, parameters, making);
    }
  }

  /** Answers with what everybody sees alike. */
  private void everybodys(
      HttpExchange exchange, String path, Map<String, String> parameters, Making making)
      throws Refused {
    CompletionStage<Rendered> answer =
        renderings.latest(
            new Question(path, parameters, Visibility.ALL),
            exchange.compresses(),
            root -> making.make(root, Visibility.ALL));
    Router.when(exchange, answer, readers, it -> send(it, exchange));
  }

  /** Whether a client has what there is to be seen of a root, and was told so. */
  private interface Sparing {
    boolean spared(Root root, Visibility visibility);
  }

  /** Answers with what the caller may see. */
  private void seen(
      HttpExchange exchange,
      Optional<Principal> principal,
      Collection<Action> actions,
      String path,
      Map<String, String> parameters,
      Making making,
      Sparing sparing)
      throws Refused {
    roots.now();
    Router.when(
        exchange,
        authorization.with(
            principal,
            actions,
            readers,
            approvers -> {
              Root root = roots.now();
              Visibility visibility =
                  Visibility.of(approvers).decided(root.state(), roots.accounts(root));
              if (!sparing.spared(root, visibility)) {
                Question question = new Question(path, parameters, visibility);
                CompletionStage<Rendered> answer =
                    renderings.of(
                        root, question, exchange.compresses(), it -> making.make(it, visibility));
                boolean there = answer.toCompletableFuture().isDone();
                Router.when(
                    exchange, answer, there ? Runnable::run : readers, it -> send(it, exchange));
              }
              return true;
            }),
        Runnable::run,
        answered -> {});
  }

  private HttpResponse tagged(Root root, Visibility visibility, Making making) {
    return tag(root, visibility).on(making.make(root, visibility));
  }

  private void send(Rendered answer, HttpExchange exchange) {
    answer.sendTo(exchange);
    forgetLater();
  }

  /** While something is kept a timer is set, and otherwise none. */
  private void forgetLater() {
    if (kept.bytes() > 0 && forgetting.compareAndSet(false, true)) {
      loop.schedule(
          KEPT_UNUSED,
          () -> {
            kept.forget(KEPT_UNUSED, System.nanoTime());
            forgetting.set(false);
            forgetLater();
          });
    }
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

package org.mezzo.master.reads;

import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.http.HttpExchange;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.MasterState;

/** Gives the published state to whoever asks, with what of it they may see. Safe for any thread. */
public final class StateReader {
  private final ClusterView cluster;
  private final Authorization authorization;
  private final Executor workers;

  /**
   * Reads one cluster.
   *
   * @param workers where answers are made
   */
  public StateReader(ClusterView cluster, Authorization authorization, Executor workers) {
    this.cluster = cluster;
    this.authorization = authorization;
    this.workers = workers;
  }

  /** Answers from a state; the visibility is good until it has returned. */
  @FunctionalInterface
  public interface Reading {
    void read(MasterState state, Visibility visibility) throws Exception;
  }

  /**
   * Reads on a worker; failures are answered as in {@link Router#when}.
   *
   * @param actions what is asked about; what belongs to another action is not visible where
   *     authorization is demanded
   * @throws Refused with 503 when there is no state yet (rule 12)
   */
  public void read(
      HttpExchange exchange,
      Optional<Principal> principal,
      Collection<Action> actions,
      Reading reading)
      throws Refused {
    MasterState state =
        cluster.state().orElseThrow(() -> new Refused(503, "Master has not finished recovery"));
    Router.when(
        exchange,
        authorization.with(
            principal,
            actions,
            workers,
            approvers -> {
              reading.read(state, Visibility.of(approvers));
              return true;
            }),
        Runnable::run,
        answered -> {});
  }
}

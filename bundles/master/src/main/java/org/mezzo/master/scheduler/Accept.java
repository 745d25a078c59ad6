package org.mezzo.master.scheduler;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.transitions.Accepted;
import org.mezzo.master.transitions.Launches;
import org.mezzo.protocol.v1.scheduler.Call;

/**
 * ACCEPT: uses offers. Whether a task may run as its user is asked when the offers are known to be
 * the framework's; a task that may not ends in TASK_ERROR and the others go on.
 */
final class Accept implements ApiCall<Call> {
  private final SubscribedFrameworks frameworks;
  private final Optional<RootAccounts> roots;
  private final Executor answers;

  /**
   * The call.
   *
   * @param roots knows who is root where root may not submit; empty: it may
   * @param answers where it goes on when the name service had to be asked; never where state is
   *     read, which takes long
   */
  Accept(SubscribedFrameworks frameworks, Optional<RootAccounts> roots, Executor answers) {
    this.frameworks = frameworks;
    this.roots = roots;
    this.answers = answers;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.ACCEPT,
            Permission.perObject(Action.RUN_TASK),
            "Uses offers: launches tasks on them and gives the rest back.")
        .carrying("accept");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    if (roots.isEmpty()) {
      accept(call, exchange, Set.of());
    } else {
      exchange.when(
          roots.get().among(Accepted.users(call.getAccept())),
          answers,
          root -> accept(call, exchange, root));
    }
  }

  private void accept(Call call, CallExchange exchange, Set<String> refusedUsers) {
    String id = call.getFrameworkId().getValue();
    Accepted accepted = Accepted.of(id, call.getAccept(), refusedUsers);
    boolean declines = call.getAccept().getOperationsCount() == 0;
    frameworks.step(
        call,
        exchange,
        tx -> {
          if (!declines) {
            tx.count("master/messages_launch_tasks");
          }
          Launches.accept(tx, id, accepted);
        });
  }
}

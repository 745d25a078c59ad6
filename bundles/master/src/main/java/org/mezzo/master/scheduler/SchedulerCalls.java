package org.mezzo.master.scheduler;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.master.constraints.RegexLimits;
import org.mezzo.master.election.Leadership;
import org.mezzo.protocol.v1.scheduler.Call;

/** The calls of the scheduler API: every type has a row. */
public final class SchedulerCalls {
  private SchedulerCalls() {}

  /**
   * All of them.
   *
   * @param answers where calls go on that had to wait for an authorizer or the name service; never
   *     where state is read, which takes long
   * @param limits of regular expressions in offer constraints
   * @param roots knows who is root where root may not submit; empty: it may
   */
  public static List<ApiCall<Call>> all(
      Leadership leadership,
      Authorization authorization,
      Metrics metrics,
      Executor answers,
      RegexLimits limits,
      Optional<RootAccounts> roots) {
    SubscribedFrameworks frameworks = new SubscribedFrameworks(leadership);
    Registrations registrations = new Registrations(authorization, limits);
    return List.of(
        new Subscribe(leadership, registrations, roots, metrics, answers),
        new UpdateFramework(frameworks, registrations, answers),
        new Accept(frameworks, roots, answers),
        new Decline(frameworks),
        new Revive(frameworks),
        new Suppress(frameworks),
        new Kill(frameworks),
        new Acknowledge(frameworks),
        new Reconcile(frameworks),
        new MessageToExecutor(frameworks),
        new ShutdownExecutor(frameworks),
        new Teardown(frameworks),
        new RequestResources(frameworks),
        new AcceptInverseOffers(frameworks),
        new DeclineInverseOffers(frameworks),
        new ReconcileOperations(frameworks),
        new AcknowledgeOperationStatus(frameworks),
        new UnknownCall(frameworks));
  }
}

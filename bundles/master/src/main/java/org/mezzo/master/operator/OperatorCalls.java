package org.mezzo.master.operator;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.flags.Flags;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.policy.PolicyChanges;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.StateReader;
import org.mezzo.protocol.v1.master.Call;

/** The calls of the operator API: every type has a row. */
public final class OperatorCalls {
  private OperatorCalls() {}

  /**
   * All of them.
   *
   * @param answers for what is read off the state
   * @param waiting where calls go on that had to wait for their change
   * @param verbosity of the process's log
   * @param started when the daemon was started
   */
  public static List<ApiCall<Call>> all(
      StateReader reader,
      StateAnswers answers,
      PolicyChanges policies,
      LeaderChanges changes,
      MaintenanceOrders orders,
      Authorization authorization,
      Executor waiting,
      OperatorStreams streams,
      FrameworkTeardown teardown,
      ResourceChanges resources,
      VirtualFiles files,
      Flags flags,
      MetricsRegistry metrics,
      Verbosity verbosity,
      Instant started) {
    return Stream.concat(
            Stream.of(
                new GetHealth(),
                new GetVersion(),
                new GetFlags(flags),
                new GetMetrics(metrics),
                new GetLoggingLevel(verbosity),
                new SetLoggingLevel(verbosity),
                new ListFiles(files),
                new ReadFile(files),
                new GetState(answers),
                new GetAgents(answers),
                new GetFrameworks(answers),
                new GetExecutors(answers),
                new GetTasks(answers),
                new GetRoles(answers),
                new GetWeights(answers),
                new UpdateWeights(policies, waiting),
                new GetQuota(answers),
                new UpdateQuota(policies, waiting),
                new SetQuota(policies, waiting),
                new RemoveQuota(policies, waiting),
                new GetOperations(answers),
                new GetMaster(answers, started),
                new Subscribe(reader, streams),
                new Teardown(teardown),
                new MarkAgentGone(changes, waiting),
                new DeactivateAgent(changes, waiting),
                new ReactivateAgent(changes, waiting),
                new GetMaintenanceSchedule(answers),
                new GetMaintenanceStatus(answers),
                new UpdateMaintenanceSchedule(orders, waiting),
                new StartMaintenance(orders, waiting),
                new StopMaintenance(orders, waiting),
                new DrainAgent(changes, authorization, waiting)),
            ChangeResources.all(resources).stream())
        .toList();
  }
}

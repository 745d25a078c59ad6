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
import org.mezzo.master.reads.StateReader;
import org.mezzo.protocol.v1.master.Call;

/** The calls of the operator API: every type has a row. */
public final class OperatorCalls {
  private OperatorCalls() {}

  /**
   * All of them.
   *
   * @param answers where calls go on that had to wait for their change
   * @param verbosity of the process's log
   * @param started when the daemon was started
   */
  public static List<ApiCall<Call>> all(
      StateReader reader,
      PolicyChanges policies,
      LeaderChanges changes,
      MaintenanceOrders orders,
      Authorization authorization,
      Executor answers,
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
                new GetState(reader),
                new GetAgents(reader),
                new GetFrameworks(reader),
                new GetExecutors(reader),
                new GetTasks(reader),
                new GetRoles(reader),
                new GetWeights(reader),
                new UpdateWeights(policies, answers),
                new GetQuota(reader),
                new UpdateQuota(policies, answers),
                new SetQuota(policies, answers),
                new RemoveQuota(policies, answers),
                new GetOperations(reader),
                new GetMaster(reader, started),
                new Subscribe(reader, streams),
                new Teardown(teardown),
                new MarkAgentGone(changes, answers),
                new DeactivateAgent(changes, answers),
                new ReactivateAgent(changes, answers),
                new GetMaintenanceSchedule(reader),
                new GetMaintenanceStatus(reader),
                new UpdateMaintenanceSchedule(orders, answers),
                new StartMaintenance(orders, answers),
                new StopMaintenance(orders, answers),
                new DrainAgent(changes, authorization, answers)),
            ChangeResources.all(resources).stream())
        .toList();
  }
}

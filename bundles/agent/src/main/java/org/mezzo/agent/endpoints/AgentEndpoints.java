package org.mezzo.agent.endpoints;

import java.util.ArrayList;
import java.util.List;
import org.mezzo.agent.containers.ContainerCalls;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallApi;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.daemon.calls.NotServed;
import org.mezzo.daemon.configuration.DaemonFlags;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.protocol.v1.agent.Call;

/** Puts together what an agent answers over HTTP beside what every daemon does. */
public final class AgentEndpoints {
  private final AgentDescription self;
  private final AgentReads reads;
  private final ContainerLook containers;
  private final List<ApiCall<Call>> operated;
  private final DaemonFlags flags;
  private final MetricsRegistry metrics;
  private final VirtualFiles files;
  private final Verbosity verbosity;

  /**
   * What an agent answers.
   *
   * @param operated the calls that are about containers of operators
   */
  public AgentEndpoints(
      AgentDescription self,
      AgentReads reads,
      ContainerLook containers,
      List<ApiCall<Call>> operated,
      DaemonFlags flags,
      MetricsRegistry metrics,
      VirtualFiles files,
      Verbosity verbosity) {
    this.self = self;
    this.reads = reads;
    this.containers = containers;
    this.operated = operated;
    this.flags = flags;
    this.metrics = metrics;
    this.files = files;
    this.verbosity = verbosity;
  }

  /**
   * Adds the agent's endpoints.
   *
   * @param workers where calls are served for which an authorizer had to be asked
   */
  public void install(Router router, Authorization authorization, Workers workers) {
    router
        .add(new StateEndpoint(reads, self, flags))
        .add(new ContainersEndpoint(containers))
        .add(new StatisticsEndpoint(containers))
        .add(new ContainerizerDebugEndpoint(containers.containerizer()))
        .add(api(authorization, workers));
  }

  private ApiEndpoint api(Authorization authorization, Workers workers) {
    CallTable<Call> table =
        new CallTable<>(
            Call.getDefaultInstance(),
            authorization,
            workers,
            metrics,
            "slave/mezzo/calls/agent",
            calls());
    return new CallApi<>(
        new EndpointDeclaration(
            "/api/v1",
            Access.READWRITE,
            CallApi.PERMISSION,
            Help.of(
                "The agent's API: its state and files, containers, and its log's verbosity.",
                "Takes calls as POST, in JSON or protobuf, and answers in what the client prefers"
                    + " of both.")),
        new CallEndpoint<>(Call.getDefaultInstance(), "agent::Call", workers, table::handle)
            .validate(table::problem)
            .withRecordIo(ContainerCalls::streamed, ContainerCalls::answeredByStream),
        table);
  }

  private List<ApiCall<Call>> calls() {
    List<ApiCall<Call>> all = new ArrayList<>(operated);
    all.addAll(others());
    return all;
  }

  private List<ApiCall<Call>> others() {
    return List.of(
        new GetHealth(),
        new GetFlags(flags.all()),
        new GetVersion(),
        new GetMetrics(metrics),
        new GetLoggingLevel(verbosity),
        new SetLoggingLevel(verbosity),
        new GetAgent(self),
        new GetState(reads),
        new GetTasks(reads),
        new GetExecutors(reads),
        new GetFrameworks(reads),
        new GetContainers(containers),
        new GetOperations(reads),
        new ListFiles(files),
        new ReadFile(files),
        new GetResourceProviders(),
        NotServed.of(Call.Type.ADD_RESOURCE_PROVIDER_CONFIG, "add_resource_provider_config"),
        NotServed.of(Call.Type.UPDATE_RESOURCE_PROVIDER_CONFIG, "update_resource_provider_config"),
        NotServed.of(Call.Type.REMOVE_RESOURCE_PROVIDER_CONFIG, "remove_resource_provider_config"),
        NotServed.of(Call.Type.MARK_RESOURCE_PROVIDER_GONE, "mark_resource_provider_gone"),
        new PruneImages());
  }
}

package org.mezzo.master.endpoints;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.daemon.configuration.DaemonFlags;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.master.constraints.RegexLimits;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.offers.OfferExplanations;
import org.mezzo.master.operator.FrameworkReadmission;
import org.mezzo.master.operator.FrameworkTeardown;
import org.mezzo.master.operator.MaintenanceOrders;
import org.mezzo.master.operator.OperatorApi;
import org.mezzo.master.operator.OperatorCalls;
import org.mezzo.master.operator.OperatorFlags;
import org.mezzo.master.operator.OperatorStreams;
import org.mezzo.master.operator.ResourceChanges;
import org.mezzo.master.policy.PolicyChanges;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.StateReader;
import org.mezzo.master.scheduler.RootAccounts;
import org.mezzo.master.scheduler.SchedulerApi;
import org.mezzo.master.scheduler.SchedulerCalls;
import org.mezzo.protocol.v1.master.Call;

/**
 * Makes what a master serves and no other daemon: the scheduler API, the operator API and the JSON
 * endpoints. Nothing else adds them to its router.
 */
public final class MasterEndpoints {
  /** How long an agent that answers for the master may need, and clients for what it answers. */
  private static final Duration AGENT_PATIENCE = Duration.ofSeconds(30);

  private final Leadership leadership;
  private final Authorization authorization;
  private final MetricsRegistry metrics;
  private final Workers workers;
  private final LeaderGate gate;
  private final StateReader reader;
  private final LeaderChanges changes;
  private final PolicyChanges policies;
  private final List<ApiEndpoint> endpoints = new ArrayList<>();
  private List<ApiCall<Call>> operatorCalls = List.of();
  private List<ApiCall<org.mezzo.protocol.v1.scheduler.Call>> schedulerCalls = List.of();

  /**
   * None yet.
   *
   * @param workers where answers are made, encoded and written
   */
  public MasterEndpoints(
      Leadership leadership,
      Authorization authorization,
      MetricsRegistry metrics,
      Workers workers) {
    this.leadership = leadership;
    this.authorization = authorization;
    this.metrics = metrics;
    this.workers = workers;
    this.gate = new LeaderGate(leadership);
    this.reader = new StateReader(leadership, authorization, workers);
    this.changes = new LeaderChanges(leadership);
    this.policies = new PolicyChanges(changes, authorization);
  }

  /**
   * Makes the scheduler API.
   *
   * @param limits of regular expressions in offer constraints
   * @param roots knows who is root where root may not submit; empty: it may
   */
  public MasterEndpoints scheduler(RegexLimits limits, Optional<RootAccounts> roots) {
    schedulerCalls = SchedulerCalls.all(leadership, authorization, metrics, workers, limits, roots);
    endpoints.add(
        SchedulerApi.of(
            new CallTable<>(
                org.mezzo.protocol.v1.scheduler.Call.getDefaultInstance(),
                authorization,
                workers,
                metrics,
                "master/mezzo/calls/scheduler",
                schedulerCalls),
            gate,
            workers));
    return this;
  }

  /**
   * Makes the operator API and the JSON endpoints.
   *
   * @param operator the flags that are about them
   * @param verbosity of the process's log
   * @param loop for heartbeats of streams, and to forget answers that were kept
   * @param started when the daemon was started
   */
  public MasterEndpoints operator(
      DaemonFlags flags,
      OperatorFlags operator,
      VirtualFiles files,
      Verbosity verbosity,
      EventLoop loop,
      Instant started) {
    OperatorStreams streams =
        new OperatorStreams(
            leadership,
            loop,
            workers,
            operator.maxSubscribers(),
            metrics.counter("master/event_streams_cut"));
    metrics.gauge("master/operator_event_stream_subscribers", streams::size);
    FrameworkTeardown teardown = new FrameworkTeardown(leadership, changes, authorization);
    ResourceChanges resources = new ResourceChanges(leadership, changes, authorization);
    PolicyRequests requests = new PolicyRequests(policies, workers.answers());
    MaintenanceOrders orders = new MaintenanceOrders(changes, authorization);
    StateAnswers answers = new StateAnswers(leadership, authorization, workers, loop, metrics);
    operatorCalls =
        OperatorCalls.all(
            reader,
            answers,
            policies,
            changes,
            orders,
            authorization,
            workers.answers(),
            streams,
            teardown,
            resources,
            files,
            flags.all(),
            metrics,
            verbosity,
            started);
    endpoints.add(
        OperatorApi.of(
            new CallTable<>(
                Call.getDefaultInstance(),
                authorization,
                workers,
                metrics,
                "master/mezzo/calls/operator",
                operatorCalls),
            gate,
            workers));
    endpoints.add(new StateEndpoint(answers, gate, flags, operator, started));
    endpoints.add(new StateSummaryEndpoint(answers, gate, operator));
    endpoints.add(new SlavesEndpoint(answers, gate));
    endpoints.add(new FrameworksEndpoint(answers, gate));
    endpoints.add(new TasksEndpoint(answers, gate));
    endpoints.add(new OfferConstraintsEndpoint(answers, gate));
    endpoints.add(new RolesEndpoint(answers, gate));
    endpoints.add(new WeightsEndpoint(answers, gate, requests));
    endpoints.add(new QuotaEndpoint(answers, gate, requests));
    endpoints.add(new MaintenanceScheduleEndpoint(answers, gate, orders, workers.answers()));
    endpoints.add(new MaintenanceStatusEndpoint(answers, gate));
    endpoints.add(MachineEndpoint.down(orders, gate, workers.answers()));
    endpoints.add(MachineEndpoint.up(orders, gate, workers.answers()));
    endpoints.add(new RegistryEndpoint(answers, gate));
    endpoints.add(new TeardownEndpoint(teardown, gate, workers.answers()));
    endpoints.add(
        new ReadmitEndpoint(
            new FrameworkReadmission(leadership, changes, authorization), gate, workers.answers()));
    endpoints.addAll(ResourcesEndpoint.all(resources, gate, workers.answers()));
    endpoints.add(
        new OfferExplanationEndpoint(
            new OfferExplanations(leadership, authorization), gate, workers.answers()));
    endpoints.add(
        new AgentFilesEndpoint(
            leadership,
            authorization,
            new AgentRelay(metrics, workers.answers(), AGENT_PATIENCE),
            gate,
            workers.answers()));
    RolloutRequests rollouts = new RolloutRequests(leadership, authorization);
    endpoints.add(new RolloutsEndpoint(rollouts, gate, workers.answers()));
    endpoints.addAll(RolloutOrderEndpoint.all(rollouts, gate, workers.answers()));
    endpoints.add(new RedirectEndpoint(gate));
    return this;
  }

  /** What was made. */
  public List<ApiEndpoint> endpoints() {
    return List.copyOf(endpoints);
  }

  /** The rows of the operator API. */
  List<ApiCall<Call>> operatorCalls() {
    return operatorCalls;
  }

  /** The rows of the scheduler API. */
  List<ApiCall<org.mezzo.protocol.v1.scheduler.Call>> schedulerCalls() {
    return schedulerCalls;
  }

  /** Adds what was made. */
  public void install(Router router) {
    endpoints.forEach(router::add);
  }
}

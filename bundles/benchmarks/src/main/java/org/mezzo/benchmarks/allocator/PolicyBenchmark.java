package org.mezzo.benchmarks.allocator;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import org.mezzo.allocator.drf.HierarchicalAllocator;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/**
 * Allocation cycles of one policy after the other in one process, so that rows can be compared with
 * each other whatever the machine does beside. Prints a row for each: what the cycle proposed, the
 * median and the shortest time of its thread on the processor, the median on the clock, and the
 * first as a multiple of the kind case.
 *
 * <p>Arguments: begins of the names of the cases to run; all when there are none. To compare with
 * another version of the allocator put its classes in front of the class path.
 */
public final class PolicyBenchmark {
  private static final int AGENTS = 20_000;
  private static final int FRAMEWORKS = 2_000;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int WARM_UPS = 9;
  private static final int REPETITIONS = 11;
  private static final Duration FILTER = Duration.ofSeconds(5);

  private final List<String> wanted;
  private double kind;

  private PolicyBenchmark(List<String> wanted) {
    this.wanted = wanted;
  }

  /** Runs the cases. */
  public static void main(String[] arguments) {
    new PolicyBenchmark(Arrays.asList(arguments)).run();
    System.exit(0);
  }

  /** A clock that is moved by hand. */
  private static final class HandClock extends Clock {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    void pass(Duration time) {
      now = now.plus(time);
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  /** An allocator with the clock that it goes by. */
  private static final class Subject {
    final HandClock clock = new HandClock();
    final HierarchicalAllocator allocator = new HierarchicalAllocator();
    List<Proposal> offered = List.of();

    Subject(AllocationState state) {
      DaemonContext daemon =
          LocalModules.daemon(
              "benchmark",
              DaemonContext.Role.MASTER,
              Path.of(System.getProperty("java.io.tmpdir")));
      allocator.open(
          new DaemonContext() {
            @Override
            public String daemon() {
              return daemon.daemon();
            }

            @Override
            public Role role() {
              return daemon.role();
            }

            @Override
            public Path workDir() {
              return daemon.workDir();
            }

            @Override
            public Path runtimeDir() {
              return daemon.runtimeDir();
            }

            @Override
            public Map<String, String> flags() {
              return daemon.flags();
            }

            @Override
            public Map<String, String> parameters() {
              return daemon.parameters();
            }

            @Override
            public Metrics metrics() {
              return daemon.metrics();
            }

            @Override
            public Clock clock() {
              return clock;
            }
          });
      allocator.start(AllocatorOptions.builder().build(), state);
    }

    List<Proposal> cycle() {
      offered = allocator.allocate(Optional.empty());
      return offered;
    }

    void decline(Proposal proposal, Duration filter) {
      allocator.released(proposal.frameworkId(), proposal.agentId(), proposal.resources());
      allocator.filterAdded(
          new OfferFilter(
              proposal.frameworkId(),
              proposal.role(),
              proposal.agentId(),
              proposal.resources().unallocated(),
              clock.now.plus(filter)));
    }
  }

  private void run() {
    System.out.println(
        "| case | proposals | processor ms | shortest | on the clock | by the kind case |");
    System.out.println("|---|---|---|---|---|---|");
    AllocationState idle = Clusters.state(AGENTS, FRAMEWORKS);
    first("kind: one role, idle agents", () -> idle);
    AllocationState used = used(idle, FRAMEWORKS);
    first("used: existing use, fragmented ports", () -> used);
    first("roles 200: the same, 200 weighted roles", () -> weighted(used, 200));
    first("roles 2000: the same, 2,000 weighted roles", () -> weighted(used, 2_000));
    first("quota: the same, 200 weighted roles, half of them under quota", () -> halfQuota(used));
    for (int agents : new int[] {300, 3_000}) {
      Supplier<AllocationState> state = () -> largeAndSmallQuota(agents);
      first("large and small quota, " + agents + ", first", state);
      again("large and small quota, " + agents + ", idle", state, Subject::cycle, subject -> {});
    }
    filtered();
    declining();
    large();
  }

  /** The first cycle of a state. */
  private void first(String name, Supplier<AllocationState> state) {
    if (!runs(name)) {
      return;
    }
    AllocationState made = state.get();
    measure(name, round -> new Subject(made), Subject::cycle);
  }

  /** What is done between two cycles. */
  private interface Change {
    void make(Subject subject);
  }

  /** Cycles of one allocator after a first one. */
  private void again(
      String name, Supplier<AllocationState> state, Change before, Change betweenCycles) {
    if (!runs(name)) {
      return;
    }
    Subject subject = new Subject(state.get());
    before.make(subject);
    measure(
        name,
        round -> {
          betweenCycles.make(subject);
          return subject;
        },
        Subject::cycle);
  }

  private boolean runs(String name) {
    return wanted.isEmpty() || wanted.stream().anyMatch(name::startsWith);
  }

  private void measure(
      String name, Function<Integer, Subject> prepare, Function<Subject, List<Proposal>> cycle) {
    double[] clock = new double[REPETITIONS];
    double[] processor = new double[REPETITIONS];
    int proposals = 0;
    for (int round = -WARM_UPS; round < REPETITIONS; round++) {
      Subject subject = prepare.apply(round);
      long begin = System.nanoTime();
      long beginRunning = THREADS.getCurrentThreadCpuTime();
      proposals = cycle.apply(subject).size();
      double ran = (THREADS.getCurrentThreadCpuTime() - beginRunning) / 1e6;
      double took = (System.nanoTime() - begin) / 1e6;
      if (round >= 0) {
        clock[round] = took;
        processor[round] = ran;
      }
    }
    Arrays.sort(clock);
    Arrays.sort(processor);
    double median = processor[REPETITIONS / 2];
    if (kind == 0) {
      kind = median;
    }
    System.out.printf(
        "| %s | %d | %.1f | %.1f | %.1f | %.2f |%n",
        name, proposals, median, processor[0], clock[REPETITIONS / 2], median / kind);
  }

  /** Everybody has refused everything for long, 50 frameworks on each agent. */
  private void filtered() {
    Supplier<AllocationState> state = () -> Clusters.state(AGENTS, 50);
    Change refuseAll =
        subject -> {
          while (!subject.cycle().isEmpty()) {
            subject.offered.forEach(offer -> subject.decline(offer, Duration.ofDays(1)));
          }
        };
    again("filtered: everything is filtered", state, refuseAll, subject -> {});
    again(
        "filtered after a change: the same after a framework has changed",
        state,
        refuseAll,
        subject -> {
          FrameworkState framework = Clusters.framework(0);
          subject.allocator.frameworkUpdated(
              framework.toBuilder().active(false).suppressed(framework.roles()).build());
          subject.allocator.frameworkUpdated(framework);
        });
  }

  /** Every framework declines what it is offered for five seconds, a cycle every second. */
  private void declining() {
    again(
        "declining: every framework declines for 5 s",
        () -> Clusters.state(AGENTS, FRAMEWORKS),
        Subject::cycle,
        subject -> {
          subject.offered.forEach(offer -> subject.decline(offer, FILTER));
          subject.clock.pass(Duration.ofSeconds(1));
        });
  }

  private void large() {
    Supplier<AllocationState> state = () -> inRoles(Clusters.state(50_000, FRAMEWORKS), 50);
    first("large: 50,000 agents, 2,000 frameworks in 50 roles", state);
    List<Proposal> all = new ArrayList<>();
    again(
        "large changed: the same, 100 agents changed since",
        state,
        subject -> all.addAll(subject.cycle()),
        subject -> {
          List<Proposal> again = subject.offered.size() == 100 ? subject.offered : all;
          again
              .subList(0, 100)
              .forEach(
                  offer ->
                      subject.allocator.released(
                          offer.frameworkId(), offer.agentId(), offer.resources()));
        });
    again(
        "large filtered: the same, everything filtered once, 100 agents changed since",
        state,
        subject -> {
          subject.cycle().forEach(offer -> subject.decline(offer, Duration.ofDays(1)));
          subject.offered = subject.cycle();
        },
        subject ->
            subject
                .offered
                .subList(0, Math.min(100, subject.offered.size()))
                .forEach(offer -> subject.decline(offer, Duration.ofDays(1))));
  }

  /** Half of each agent at most is used already, and every tenth port. */
  private static AllocationState used(AllocationState idle, int frameworks) {
    Random random = new Random(1);
    List<AgentState> agents = new ArrayList<>();
    StringBuilder ports = new StringBuilder();
    for (int port = 31_000; port < 31_500; port += 10) {
      ports.append(ports.length() == 0 ? "" : ",").append(port).append('-').append(port);
    }
    for (AgentState agent : idle.agents()) {
      Resources held =
          Clusters.resources(
              "cpus:%d;mem:%d;disk:%d;ports:[%s]"
                  .formatted(
                      1 + random.nextInt(12),
                      1_024 * (1 + random.nextInt(32)),
                      1_024 * random.nextInt(200),
                      ports));
      agents.add(
          agent.toBuilder()
              .used(
                  Map.of(
                      "framework-" + random.nextInt(frameworks), held.allocatedTo(Clusters.ROLE)))
              .build());
    }
    return idle.toBuilder().agents(agents).build();
  }

  /** The same frameworks, spread over roles, with what they hold. */
  private static AllocationState inRoles(AllocationState state, int roles) {
    List<FrameworkState> frameworks = new ArrayList<>();
    for (int i = 0; i < state.frameworks().size(); i++) {
      frameworks.add(Clusters.framework(i, role(i, roles)));
    }
    List<AgentState> agents = new ArrayList<>();
    for (AgentState agent : state.agents()) {
      Map<String, Resources> used = new HashMap<>();
      agent
          .used()
          .forEach(
              (framework, held) ->
                  used.put(
                      framework,
                      held.unallocated()
                          .allocatedTo(
                              role(
                                  Integer.parseInt(framework.substring("framework-".length())),
                                  roles))));
      agents.add(agent.toBuilder().used(used).build());
    }
    return state.toBuilder().agents(agents).frameworks(frameworks).build();
  }

  private static String role(int framework, int roles) {
    return "role-" + framework % roles;
  }

  private static AllocationState weighted(AllocationState state, int roles) {
    Map<String, Double> weights = new HashMap<>();
    for (int i = 0; i < roles; i++) {
      weights.put("role-" + i, 1.0 + i % 5);
    }
    return inRoles(state, roles).toBuilder().weights(weights).build();
  }

  /** Every other role is guaranteed, and limited to, what 50 agents have. */
  private static AllocationState halfQuota(AllocationState state) {
    Quantities some = Quantities.parse("cpus:1200;mem:3276800;disk:20480000");
    Map<String, Quota> quotas = new HashMap<>();
    for (int i = 0; i < 200; i += 2) {
      quotas.put("role-" + i, new Quota(some, some));
    }
    return weighted(state, 200).toBuilder().quotas(quotas).build();
  }

  /**
   * Of each six roles five want half an agent and one wants two; a quarter of the agents is left.
   */
  private static AllocationState largeAndSmallQuota(int agents) {
    List<FrameworkState> frameworks = new ArrayList<>();
    Map<String, Quota> quotas = new HashMap<>();
    Quantities half = Quantities.parse("cpus:12;mem:32768;disk:204800");
    Quantities two = Quantities.parse("cpus:48;mem:131072;disk:819200");
    for (int i = 0; i < agents; i++) {
      Quantities amounts = i % 6 == 5 ? two : half;
      frameworks.add(Clusters.framework(i, "role-" + i));
      quotas.put("role-" + i, new Quota(amounts, amounts));
    }
    return Clusters.state(agents, 0).toBuilder().frameworks(frameworks).quotas(quotas).build();
  }
}

package org.mezzo.master.commands;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.felix.service.command.Descriptor;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.reads.Roles;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.resources.Quantities;

/**
 * What the shell shows of the cluster, on the caller's thread and from the published state, so that
 * nobody waits for whoever looks. A plain object, which Gogo finds by the properties it is
 * registered with; rows of texts, of which the first has the titles, become a table there. Whoever
 * is in the shell may see everything.
 */
public final class ClusterCommands implements Function<List<String>, Collection<String>> {
  /** Those that can be called. */
  public static final List<String> FUNCTIONS =
      List.of("cluster", "agents", "frameworks", "tasks", "offers", "roles", "quota");

  /** Whoever wants to see more asks over HTTP, page by page. */
  private static final int MOST_ROWS = 1_000;

  private static final double MILLI = 1_000;

  private final ClusterView cluster;

  public ClusterCommands(ClusterView cluster) {
    this.cluster = cluster;
  }

  /** What is known where this master leads; says who does where not. */
  private MasterState state() {
    return cluster
        .state()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    cluster.leading()
                        ? "This master leads, and is still reading what the cluster was"
                        : "This master does not lead: "
                            + cluster
                                .leader()
                                .map(it -> "use the shell of " + address(it))
                                .orElse("nobody does now")));
  }

  private static String address(MasterInfo master) {
    return master.getAddress().getHostname() + ":" + master.getAddress().getPort();
  }

  /** {@code mezzo:cluster}: who leads, and how much there is of everything. */
  @Descriptor("shows who leads, and how much there is of everything")
  public List<List<String>> cluster() {
    MasterState state = state();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("leader", address(state.self()) + " since " + state.elected()));
    rows.add(
        List.of(
            "agents",
            "%d registered, %d linked, %d offered; %d unreachable, %d not back yet, %d gone"
                .formatted(
                    state.census().agents(),
                    state.census().connectedAgents(),
                    state.census().activeAgents(),
                    state.unreachableAgents().size(),
                    state.recoveredAgents().size(),
                    state.goneAgents().size())));
    rows.add(
        List.of(
            "frameworks",
            "%d, %d connected, %d active; %d completed"
                .formatted(
                    state.census().frameworks(),
                    state.census().connectedFrameworks(),
                    state.census().activeFrameworks(),
                    state.completedFrameworks().size())));
    String tasks =
        Stream.of(TaskState.values())
            .filter(it -> state.census().tasks().in(it) > 0)
            .map(it -> state.census().tasks().in(it) + " " + it)
            .collect(Collectors.joining(", "));
    rows.add(List.of("tasks", tasks.isEmpty() ? "none" : tasks));
    rows.add(List.of("offers", Integer.toString(state.offers().size())));
    Quantities total = Quantities.EMPTY;
    Quantities held = Quantities.EMPTY;
    Quantities offered = Quantities.EMPTY;
    for (Account account : state.ledger().accounts().values()) {
      total = total.plus(account.total().quantities());
      held = held.plus(account.totalAllocated().quantities());
      offered = offered.plus(account.totalOffered().quantities());
    }
    rows.add(List.of("resources", text(total)));
    rows.add(List.of("of them used", text(held)));
    rows.add(List.of("and offered", text(offered)));
    return rows;
  }

  private static String text(Quantities quantities) {
    Set<String> names = new TreeSet<>(quantities.names());
    return names.isEmpty()
        ? "-"
        : names.stream()
            .map(name -> name + ":" + number(quantities.get(name)))
            .collect(Collectors.joining(" "));
  }

  private static String number(long millis) {
    return millis % (long) MILLI == 0
        ? Long.toString(millis / (long) MILLI)
        : String.format(Locale.ROOT, "%.3f", millis / MILLI);
  }

  /** {@code mezzo:agents}: all that this cluster knows, those that are away as well. */
  @Descriptor("lists the agents, those that are away as well")
  public List<List<String>> agents() {
    MasterState state = state();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("ID", "HOST", "STATE", "TASKS", "RESOURCES", "FREE"));
    state.agents().values().stream()
        .sorted(Comparator.comparing(Agent::id))
        .forEach(
            agent -> {
              Account account = state.account(agent.id());
              rows.add(
                  List.of(
                      agent.id(),
                      agent.info().getHostname() + ":" + agent.info().getPort(),
                      agent.connected() ? standing(agent) : "disconnected",
                      Integer.toString(agent.tasks().values().stream().mapToInt(Set::size).sum()),
                      text(account.total().quantities()),
                      text(account.free().quantities())));
            });
    state.unreachableAgents().values().stream()
        .sorted(Comparator.comparing(it -> it.id()))
        .forEach(
            it ->
                rows.add(
                    List.of(
                        it.id(),
                        it.info().getHostname(),
                        "unreachable since " + it.since(),
                        "",
                        "",
                        "")));
    state.recoveredAgents().values().stream()
        .sorted(Comparator.comparing(it -> it.id()))
        .forEach(
            it -> rows.add(List.of(it.id(), it.info().getHostname(), "not back yet", "", "", "")));
    return bounded(rows);
  }

  private static String standing(Agent agent) {
    Standing standing = agent.standing();
    return standing
        .draining()
        .map(it -> it.info().getState().toString().toLowerCase(Locale.ROOT))
        .orElseGet(
            () ->
                standing.deactivated()
                    ? "deactivated"
                    : agent.awaits().map(it -> "no offers: " + it).orElse("active"));
  }

  /** {@code mezzo:frameworks}: those that are not completed. */
  @Descriptor("lists the frameworks that are not completed")
  public List<List<String>> frameworks() {
    MasterState state = state();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("ID", "NAME", "PRINCIPAL", "STATE", "ROLES", "TASKS", "HOLDS", "OFFERED"));
    state.frameworks().values().stream()
        .sorted(Comparator.comparing(Framework::id))
        .forEach(
            framework ->
                rows.add(
                    List.of(
                        framework.id(),
                        framework.info().getName(),
                        framework.info().getPrincipal(),
                        framework.phase().toString().toLowerCase(Locale.ROOT),
                        framework.subscription().roles().stream()
                            .map(
                                role ->
                                    framework.subscription().suppressed().contains(role)
                                        ? role + " (suppressed)"
                                        : role)
                            .collect(Collectors.joining(",")),
                        Integer.toString(framework.tasks().size()),
                        text(state.ledger().totalAllocatedTo(framework.id()).quantities()),
                        text(state.ledger().totalOfferedTo(framework.id()).quantities()))));
    return bounded(rows);
  }

  /** {@code mezzo:tasks}: the active ones of all frameworks. */
  @Descriptor("lists the active tasks of all frameworks")
  public List<List<String>> tasks() {
    return tasks(state().frameworks().values());
  }

  /** {@code mezzo:tasks ID}: those of a framework, or on an agent. */
  @Descriptor("lists the active tasks of a framework, or on an agent")
  public List<List<String>> tasks(@Descriptor("of the framework or the agent") String id) {
    MasterState state = state();
    if (state.framework(id).isPresent()) {
      return tasks(List.of(state.framework(id).orElseThrow()));
    }
    if (state.agent(id).isEmpty()) {
      throw new IllegalArgumentException(
          "Neither a framework nor a registered agent has the id '%s': see mezzo:frameworks and"
                  .formatted(id)
              + " mezzo:agents");
    }
    return rows(
        state.frameworks().values().stream()
            .flatMap(
                framework ->
                    state.agent(id).orElseThrow().tasksOf(framework.id()).stream()
                        .map(framework.tasks()::get)));
  }

  private static List<List<String>> tasks(Collection<Framework> frameworks) {
    return rows(
        frameworks.stream()
            .sorted(Comparator.comparing(Framework::id))
            .flatMap(it -> it.tasks().values().stream()));
  }

  private static List<List<String>> rows(Stream<Task> tasks) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("TASK", "NAME", "STATE", "FRAMEWORK", "AGENT", "RESOURCES"));
    tasks.forEach(
        task ->
            rows.add(
                List.of(
                    task.id(),
                    task.message().getName(),
                    task.state().toString(),
                    task.frameworkId(),
                    task.agentId(),
                    text(task.resources().quantities()))));
    return bounded(rows);
  }

  /** {@code mezzo:offers}: those that are not answered. */
  @Descriptor("lists the offers that are not answered")
  public List<List<String>> offers() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("OFFER", "SINCE", "FRAMEWORK", "ROLE", "AGENT", "RESOURCES"));
    state().offers().values().stream()
        .sorted(Comparator.comparing(Offer::created))
        .forEach(
            offer ->
                rows.add(
                    List.of(
                        offer.id(),
                        offer.created().toString(),
                        offer.frameworkId(),
                        offer.role(),
                        offer.agentId(),
                        text(offer.resources().quantities()))));
    return bounded(rows);
  }

  /** {@code mezzo:roles}: those that somebody has, or that something was decided about. */
  @Descriptor("lists the roles, and what is theirs")
  public List<List<String>> roles() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("ROLE", "WEIGHT", "FRAMEWORKS", "HOLDS", "OFFERED", "RESERVED"));
    for (Roles.Role role : Roles.of(state())) {
      rows.add(
          List.of(
              role.name(),
              Double.toString(role.weight()),
              Integer.toString(role.frameworks().size()),
              text(role.allocated()),
              text(role.offered()),
              text(role.reserved())));
    }
    return bounded(rows);
  }

  /** {@code mezzo:quota}: what is guaranteed to roles, what limits them, what is used of it. */
  @Descriptor("lists what is guaranteed to roles, what limits them, and what is used of it")
  public List<List<String>> quota() {
    MasterState state = state();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("ROLE", "GUARANTEE", "LIMIT", "CONSUMED"));
    for (Roles.Role role : Roles.of(state)) {
      var quota = state.quotas().get(role.name());
      if (quota != null) {
        rows.add(
            List.of(
                role.name(),
                text(quota.guarantees()),
                text(quota.limits()),
                text(role.consumed())));
      }
    }
    return bounded(rows);
  }

  private static List<List<String>> bounded(List<List<String>> rows) {
    int more = rows.size() - 1 - MOST_ROWS;
    if (more <= 0) {
      return rows;
    }
    List<List<String>> first = new ArrayList<>(rows.subList(0, MOST_ROWS + 1));
    List<String> last = new ArrayList<>(List.of("... and " + more + " more"));
    while (last.size() < rows.get(0).size()) {
      last.add("");
    }
    first.add(last);
    return first;
  }

  /** Ids of frameworks and agents behind {@code tasks}; from the published state. */
  @Override
  public Collection<String> apply(List<String> words) {
    return cluster
        .state()
        .filter(state -> words.equals(List.of("tasks")))
        .map(
            state ->
                Stream.concat(
                        state.frameworks().keySet().stream(), state.agents().keySet().stream())
                    .sorted()
                    .toList())
        .orElse(List.of());
  }
}

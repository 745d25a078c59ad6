package org.mezzo.hooks.limits;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.hook.Hook;
import org.mezzo.hooks.parameters.Parameters;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Gives tasks no more than the parameter {@code max} allows ({@code cpus:4;mem:8192}), or for tasks
 * of one role {@code max.ROLE}; and what {@code default} says of what they have not asked for and
 * their agent has. Disks with a source and persistent volumes are not cut, nor are executors.
 *
 * <p>For masters; on an agent it does nothing. A hook cannot refuse: who asks for more gets less.
 */
@Component(service = Hook.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Hook.KIND,
    name = "limits",
    version = "0.1.0",
    author = "Mezzo",
    description = "gives tasks no more of each resource than configured, and defaults")
public final class LimitsHook implements Hook {
  private static final String OF_ROLE = "max.";

  private Quantities most = Quantities.EMPTY;
  private Map<String, Quantities> mostOfRole = Map.of();
  private Resources defaults = Resources.EMPTY;

  /**
   * Takes the amounts.
   *
   * @throws IllegalArgumentException when a parameter cannot be used
   */
  @Override
  public void open(DaemonContext context) {
    Parameters parameters = new Parameters("limits", context.parameters());
    most = scalars(parameters, "max", parameters.text("max", "")).quantities();
    Map<String, Quantities> roles = new HashMap<>();
    parameters
        .below(OF_ROLE)
        .forEach(
            (role, text) ->
                roles.put(role, scalars(parameters, OF_ROLE + role, text).quantities()));
    mostOfRole = Map.copyOf(roles);
    defaults = scalars(parameters, "default", parameters.text("default", ""));
    parameters.refuseOthers("'max', 'max.ROLE' and 'default'");
    if (most.isEmpty() && roles.isEmpty() && defaults.isEmpty()) {
      throw parameters.wrong(
          "max", "is missing, as are 'max.ROLE' and 'default'; give it one of them in --modules");
    }
  }

  private static Resources scalars(Parameters parameters, String name, String text) {
    try {
      Resources read = text.isEmpty() ? Resources.EMPTY : Resources.parse(text, "*");
      if (read.equals(read.scalars()) && !read.hasReserved()) {
        return read;
      }
    } catch (ResourceFormatException e) {
      throw parameters.wrong(name, "cannot be read: " + e.getMessage());
    }
    throw parameters.wrong(
        name, "is '" + text + "'; give it amounts without a role, like 'cpus:4;mem:8192'");
  }

  @Override
  public List<Resource> masterLaunchTaskResources(
      TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    Resources asked;
    try {
      asked = Resources.of(task.getResourcesList());
    } catch (ResourceFormatException e) {
      // The master says so.
      return task.getResourcesList();
    }
    Optional<String> allocated = asked.allocations().keySet().stream().findFirst();
    Quantities limit = mostOfRole.getOrDefault(allocated.orElseGet(() -> role(framework)), most);
    Resources cut = asked.filter(it -> it.disk().isEmpty());
    Resources given = asked.minus(cut).plus(cut.limit(limit)).plus(missing(asked, agent));
    if (given.equals(asked)) {
      return task.getResourcesList();
    }
    return allocated
        .map(given.unallocated()::allocatedTo)
        .orElse(given)
        .toMessages(Resources.Format.POST_REFINEMENT);
  }

  /** Of a framework with one role that does not name it for each resource. */
  private static String role(FrameworkInfo framework) {
    return framework.getRolesCount() == 1 ? framework.getRoles(0) : framework.getRole();
  }

  private Resources missing(Resources asked, AgentInfo agent) {
    if (defaults.isEmpty()) {
      return Resources.EMPTY;
    }
    Set<String> names = asked.names();
    Set<String> there =
        agent.getResourcesList().stream().map(Resource::getName).collect(Collectors.toSet());
    return defaults.filter(it -> !names.contains(it.name()) && there.contains(it.name()));
  }
}

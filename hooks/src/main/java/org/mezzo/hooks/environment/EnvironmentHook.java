package org.mezzo.hooks.environment;

import java.util.HashMap;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.hook.Hook;
import org.mezzo.hooks.parameters.Parameters;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.osgi.service.metatype.annotations.Designate;

/**
 * Adds variables to the environment of every task whose command the agent runs, and of executors
 * that frameworks bring along. Each module parameter {@code variable.NAME} is a variable. What the
 * framework set itself stays as it is, unless the parameter {@code override} is {@code true}.
 *
 * <p>For agents; on a master it does nothing.
 */
@Component(service = Hook.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Hook.KIND,
    name = "environment",
    version = "0.1.0",
    author = "Mezzo",
    description = "adds configured variables to the environment of tasks and executors")
@Designate(ocd = EnvironmentParameters.class)
public final class EnvironmentHook implements Hook {
  private Map<String, String> added = Map.of();
  private boolean override;

  /**
   * Takes the variables.
   *
   * @throws IllegalArgumentException when a parameter cannot be used
   */
  @Override
  public void open(DaemonContext context) {
    Parameters parameters = new Parameters("environment", context.parameters());
    Map<String, String> variables = parameters.below("variable.");
    variables.forEach(
        (name, value) -> {
          if (name.indexOf('=') >= 0 || name.indexOf('\0') >= 0 || value.indexOf('\0') >= 0) {
            throw parameters.wrong(
                "variable." + name, "cannot be a variable: leave out '=' and the character 0");
          }
        });
    override = parameters.flag("override");
    parameters.refuseOthers("'variable.NAME' and 'override'");
    if (variables.isEmpty()) {
      throw parameters.wrong(
          "variable.NAME", "is missing; give it at least one variable in --modules");
    }
    added = Map.copyOf(variables);
  }

  @Override
  public Map<String, String> agentTaskEnvironment(TaskInfo task) {
    return beside(task.getCommand().getEnvironment());
  }

  @Override
  public Map<String, String> agentExecutorEnvironment(
      ExecutorInfo executor, FrameworkInfo framework) {
    return beside(executor.getCommand().getEnvironment());
  }

  private Map<String, String> beside(Environment own) {
    if (override || own.getVariablesCount() == 0) {
      return added;
    }
    Map<String, String> others = new HashMap<>(added);
    own.getVariablesList().forEach(variable -> others.remove(variable.getName()));
    return others;
  }
}

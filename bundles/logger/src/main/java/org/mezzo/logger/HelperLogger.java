package org.mezzo.logger;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.logger.LogPlan;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Has a program of the operator's read the output of every container, one process for each stream.
 * The parameter {@code program} is its absolute path, {@code argument.1}, {@code argument.2} and so
 * on are its arguments, {@code variable.NAME} is a variable for it; {@code streams} is {@code
 * stdout}, {@code stderr} or, as without it, {@code stdout,stderr}. Variables tell it what it
 * reads. The files that take over where it does not read are kept small as by {@link
 * RotatingLogger}, with the same parameters.
 */
@Component(service = ContainerLogger.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = ContainerLogger.KIND,
    name = "helper",
    version = "0.1.0",
    author = "Mezzo",
    description = "has a program read the output of containers")
public final class HelperLogger implements ContainerLogger {
  private static final String ARGUMENT = "argument.";
  private static final String VARIABLE = "variable.";
  private static final String OUTPUT = "stdout";
  private static final String ERRORS = "stderr";
  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  /** Variables of the task that say whose it is, and are no secrets. */
  private static final Set<String> PASSED_ON =
      Set.of("MESOS_SLAVE_ID", "MESOS_FRAMEWORK_ID", "MESOS_EXECUTOR_ID", "MESOS_TASK_ID");

  private Rotations rotations = new Rotations(Map.of());
  private Path program = Path.of("/");
  private List<String> arguments = List.of();
  private Map<String, String> variables = Map.of();
  private Set<String> streams = Set.of();

  @Override
  public void open(DaemonContext context) {
    Map<String, String> parameters = context.parameters();
    rotations = new Rotations(parameters);
    rotations.plan(Map.of());
    program =
        Optional.ofNullable(parameters.get("program"))
            .map(Path::of)
            .filter(Path::isAbsolute)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "the parameter program is "
                            + Optional.ofNullable(parameters.get("program"))
                                .map(it -> "'" + it + "'")
                                .orElse("missing")
                            + "; give the absolute path of the program that is to read output"));
    arguments = arguments(parameters);
    variables = variables(parameters);
    streams = streams(parameters.getOrDefault("streams", OUTPUT + "," + ERRORS));
    helper(OUTPUT, Map.of());
  }

  private static List<String> arguments(Map<String, String> parameters) {
    List<String> arguments = new ArrayList<>();
    while (parameters.containsKey(ARGUMENT + (arguments.size() + 1))) {
      arguments.add(parameters.get(ARGUMENT + (arguments.size() + 1)));
    }
    Set<String> others = new TreeSet<>(parameters.keySet());
    others.removeIf(name -> !name.startsWith(ARGUMENT));
    for (int number = 1; number <= arguments.size(); number++) {
      others.remove(ARGUMENT + number);
    }
    if (!others.isEmpty()) {
      throw new IllegalArgumentException(
          "the parameter "
              + others.iterator().next()
              + " comes behind none; number arguments from argument.1 on, without a gap");
    }
    return arguments;
  }

  private static Map<String, String> variables(Map<String, String> parameters) {
    Map<String, String> variables = new TreeMap<>();
    parameters.forEach(
        (name, value) -> {
          if (name.startsWith(VARIABLE)) {
            variables.put(name.substring(VARIABLE.length()), value);
          }
        });
    return variables;
  }

  private static Set<String> streams(String value) {
    Set<String> streams = new TreeSet<>();
    for (String stream : value.split(",", -1)) {
      if (!stream.strip().equals(OUTPUT) && !stream.strip().equals(ERRORS)) {
        throw new IllegalArgumentException(
            "the parameter streams is '" + value + "'; give stdout, stderr or stdout,stderr");
      }
      streams.add(stream.strip());
    }
    return streams;
  }

  /**
   * Has the program read, which is told whose output it is.
   *
   * @throws IOException when a variable of the task cannot be used: its user's fault, which must
   *     not count as this module's
   */
  @Override
  public LogPlan prepare(Container container, Map<String, String> environment) throws IOException {
    try {
      return plan(container, environment);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private LogPlan plan(Container container, Map<String, String> environment) {
    Map<String, String> about = new TreeMap<>();
    for (String name : PASSED_ON) {
      Optional.ofNullable(environment.get(name)).ifPresent(value -> about.put(name, value));
    }
    about.put("MEZZO_LOG_CONTAINER", container.id());
    about.put("MEZZO_LOG_SANDBOX", container.sandbox().toString());
    about.put("MEZZO_LOG_USER", container.user());
    LogPlan plan = rotations.plan(environment);
    if (streams.contains(OUTPUT)) {
      plan = plan.withOutputHelper(helper(OUTPUT, about));
    }
    return streams.contains(ERRORS) ? plan.withErrorsHelper(helper(ERRORS, about)) : plan;
  }

  /** What the operator has set holds, whatever a task calls itself. */
  private LogPlan.Helper helper(String stream, Map<String, String> about) {
    Map<String, String> environment = new TreeMap<>(about);
    environment.put("MEZZO_LOG_STREAM", stream);
    environment.put("PATH", PATH);
    environment.putAll(variables);
    return new LogPlan.Helper(program, arguments, environment);
  }
}

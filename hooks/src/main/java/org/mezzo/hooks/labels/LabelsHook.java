package org.mezzo.hooks.labels;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.hook.Hook;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adds labels to every task: what the framework set itself stays as it is. Each module parameter
 * {@code label.KEY} is a label; a daemon without such parameters takes them from the environment
 * variable {@link #VARIABLE}, written {@code key=value,key=value}.
 *
 * <p>Selected on the master, tasks carry the labels everywhere; on an agent, only what that agent
 * launches, which is how labels tell machines apart.
 */
@Component(service = Hook.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Hook.KIND,
    name = "labels",
    version = "0.1.0",
    author = "Mezzo",
    description = "adds configured labels to every task")
public final class LabelsHook implements Hook {
  /** Where labels come from when the module has no parameters. */
  public static final String VARIABLE = "MEZZO_HOOK_LABELS";

  private static final Logger LOG = LoggerFactory.getLogger(LabelsHook.class);
  private static final String PREFIX = "label.";

  private final String variable;
  private Map<String, String> added = Map.of();

  /** Reads {@link #VARIABLE} of this process. */
  public LabelsHook() {
    this(System.getenv(VARIABLE));
  }

  LabelsHook(String variable) {
    this.variable = variable == null ? "" : variable;
  }

  /**
   * Takes the labels.
   *
   * @throws IllegalArgumentException when one has no key or the variable cannot be read
   */
  @Override
  public void open(DaemonContext context) {
    Map<String, String> labels = new TreeMap<>();
    context
        .parameters()
        .forEach(
            (name, value) -> {
              if (name.startsWith(PREFIX)) {
                labels.put(key(name.substring(PREFIX.length()), name), value);
              } else {
                LOG.warn(
                    "Hook 'labels' knows no parameter '{}'; labels are given as 'label.KEY'", name);
              }
            });
    if (labels.isEmpty()) {
      for (String entry : variable.split(",")) {
        if (entry.isBlank()) {
          continue;
        }
        int equals = entry.indexOf('=');
        if (equals < 0) {
          throw new IllegalArgumentException(
              "'" + entry.strip() + "' in " + VARIABLE + " is not written as key=value");
        }
        labels.put(
            key(entry.substring(0, equals).strip(), VARIABLE), entry.substring(equals + 1).strip());
      }
    }
    if (labels.isEmpty()) {
      LOG.warn(
          "Hook 'labels' of {} has nothing to add: give it parameters 'label.KEY' in --modules, or"
              + " set {} to key=value,...",
          context.daemon(),
          VARIABLE);
    }
    added = labels;
  }

  private static String key(String key, String source) {
    if (key.isEmpty()) {
      throw new IllegalArgumentException("A label in '" + source + "' has no key");
    }
    return key;
  }

  @Override
  public Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return decorate(task.getLabels());
  }

  @Override
  public Labels agentRunTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return decorate(task.getLabels());
  }

  private Labels decorate(Labels own) {
    Set<String> taken = new HashSet<>();
    for (Label label : own.getLabelsList()) {
      taken.add(label.getKey());
    }
    Labels.Builder labels = own.toBuilder();
    added.forEach(
        (key, value) -> {
          if (!taken.contains(key)) {
            labels.addLabels(Label.newBuilder().setKey(key).setValue(value));
          }
        });
    return labels.build();
  }
}

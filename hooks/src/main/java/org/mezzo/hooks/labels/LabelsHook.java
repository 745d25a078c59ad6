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
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adds labels to every task: what the framework set itself stays as it is. Each module parameter
 * {@code label.KEY} is a label.
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
@Designate(ocd = LabelsParameters.class)
public final class LabelsHook implements Hook {
  private static final Logger LOG = LoggerFactory.getLogger(LabelsHook.class);
  private static final String PREFIX = "label.";

  private volatile Map<String, String> added = Map.of();

  /**
   * Takes the labels.
   *
   * @throws IllegalArgumentException when one has no key
   */
  @Override
  public void open(DaemonContext context) {
    added = labels(context.parameters());
    if (added.isEmpty()) {
      LOG.warn(
          "Hook 'labels' of {} has nothing to add: give it parameters 'label.KEY' in --modules",
          context.daemon());
    }
  }

  /** Takes other labels; the next task has them. */
  @Override
  public boolean reconfigured(Map<String, String> parameters) {
    added = labels(parameters);
    return true;
  }

  private static Map<String, String> labels(Map<String, String> parameters) {
    Map<String, String> labels = new TreeMap<>();
    parameters.forEach(
        (name, value) -> {
          if (name.startsWith(PREFIX)) {
            labels.put(key(name.substring(PREFIX.length()), name), value);
          }
        });
    return labels;
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

package org.mezzo.itests.library.users;

import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.mezzo.itests.library.Words;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;

/** Goes into a test bundle that needs the library: labels with its word whatever passes. */
public final class WordsHook implements Hook {
  /** Of labels, and of variables of a task that tell what has labelled it. */
  public static final String MASTER = "WORD_OF_MASTER";

  /** The same of an agent. */
  public static final String AGENT = "WORD_OF_AGENT";

  @Override
  public void open(DaemonContext context) {
    if (Words.own().isEmpty()) {
      throw new IllegalStateException("there are no words");
    }
  }

  private static Labels labelled(Labels labels, String key) {
    return labels.toBuilder()
        .addLabels(Label.newBuilder().setKey(key).setValue(Words.own()))
        .build();
  }

  @Override
  public Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return labelled(task.getLabels(), MASTER);
  }

  @Override
  public Labels agentRunTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return labelled(task.getLabels(), AGENT);
  }

  @Override
  public Map<String, String> agentTaskEnvironment(TaskInfo task) {
    return Map.of(MASTER, value(task.getLabels(), MASTER), AGENT, value(task.getLabels(), AGENT));
  }

  private static String value(Labels labels, String key) {
    return labels.getLabelsList().stream()
        .filter(label -> label.getKey().equals(key))
        .map(Label::getValue)
        .findFirst()
        .orElse("");
  }

  @Override
  public TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
    return status.toBuilder().setLabels(labelled(status.getLabels(), AGENT)).build();
  }
}

package org.mezzo.testing.contract;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.hook.Hook;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * The rules of {@link Hook}: every hook point answers for whatever message comes, in any order,
 * with something that master and agent can use, and never throws: what users launch must not cost
 * the cluster a hook. {@link ModuleContract} says how to extend it.
 */
public abstract class HookContract extends ModuleContract<Hook> {
  private static final int MESSAGES = 50;

  /** For subclasses. */
  protected HookContract() {}

  /**
   * Whether labels that a task has stay, whatever the hook adds. A hook that takes labels away, or
   * gives them other values, says false.
   */
  protected boolean keepsLabels() {
    return true;
  }

  @Override
  Role role() {
    return Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(1);
  }

  @Override
  void use(Instance<Hook> hook, Random random) throws Exception {
    onAgent(hook, random);
    onMaster(hook, random);
    onAgent(hook, random);
  }

  /** Whatever message comes gets an answer with which it can go on. */
  @Test
  public void answersWhateverComes() throws Exception {
    Random random = random();
    Instance<Hook> hook = opened();
    for (int i = 0; i < MESSAGES; i++) {
      onAgent(hook, random);
      onMaster(hook, random);
    }
    hook.close();
  }

  /**
   * What an instance never heard of may end: hooks are told nothing of what went before, so each
   * hook point can be the first that is called.
   */
  @Test
  public void beginsWithAnyHookPoint() throws Exception {
    Random random = random();
    Instance<Hook> hook = opened();
    removed(hook, random);
    hook.close();
    hook = opened();
    status(hook, random);
    hook.close();
    hook = opened();
    environment(hook, random);
    hook.close();
    hook = opened();
    onMaster(hook, random);
    hook.close();
  }

  private void onMaster(Instance<Hook> hook, Random random) {
    TaskInfo task = Samples.task(random);
    FrameworkInfo framework = Samples.framework(random);
    AgentInfo agent = Samples.agent(random);
    Labels labels =
        hook.ask("masterLaunchTaskLabels", it -> it.masterLaunchTaskLabels(task, framework, agent));
    checkLabels("masterLaunchTaskLabels", task.getLabels(), labels);
    TaskInfo labelled = task.toBuilder().setLabels(labels).build();
    checkResources(
        "masterLaunchTaskResources",
        hook.ask(
            "masterLaunchTaskResources",
            it -> it.masterLaunchTaskResources(labelled, framework, agent)));
    hook.tell("masterAgentLost", it -> it.masterAgentLost(agent));
  }

  private void onAgent(Instance<Hook> hook, Random random) throws Exception {
    AgentInfo agent = Samples.agent(random);
    checkResources("agentResources", hook.ask("agentResources", it -> it.agentResources(agent)));
    List<Attribute> attributes = hook.ask("agentAttributes", it -> it.agentAttributes(agent));
    for (Attribute attribute : attributes) {
      check(!attribute.getName().isEmpty(), "agentAttributes gave an attribute without a name");
    }
    agentLabels(hook, random);
    Path sandbox = Files.createDirectories(kitFolder.resolve("sandbox"));
    ContainerID container = Samples.container(random);
    hook.tell("agentFetched", it -> it.agentFetched(container, sandbox));
    environment(hook, random);
    status(hook, random);
    removed(hook, random);
  }

  private void agentLabels(Instance<Hook> hook, Random random) {
    TaskInfo task = Samples.task(random);
    FrameworkInfo framework = Samples.framework(random);
    AgentInfo agent = Samples.agent(random);
    Labels labels =
        hook.ask("agentRunTaskLabels", it -> it.agentRunTaskLabels(task, framework, agent));
    checkLabels("agentRunTaskLabels", task.getLabels(), labels);
  }

  private static void environment(Instance<Hook> hook, Random random) {
    TaskInfo task = Samples.task(random);
    checkVariables(
        "agentTaskEnvironment",
        hook.ask("agentTaskEnvironment", it -> it.agentTaskEnvironment(task)));
    FrameworkInfo framework = Samples.framework(random);
    ExecutorInfo executor = Samples.executor(random, framework);
    checkVariables(
        "agentExecutorEnvironment",
        hook.ask(
            "agentExecutorEnvironment", it -> it.agentExecutorEnvironment(executor, framework)));
  }

  private static void status(Instance<Hook> hook, Random random) {
    FrameworkInfo framework = Samples.framework(random);
    TaskStatus given = Samples.status(random);
    TaskStatus sent =
        hook.ask("agentTaskStatus", it -> it.agentTaskStatus(framework.getId(), given));
    check(
        sent.getState() == given.getState()
            && sent.getTaskId().equals(given.getTaskId())
            && sent.getUuid().equals(given.getUuid()),
        "agentTaskStatus changed state, task or uuid; build on the status that was given: " + sent);
  }

  private static void removed(Instance<Hook> hook, Random random) {
    FrameworkInfo framework = Samples.framework(random);
    TaskInfo task = Samples.task(random);
    ExecutorInfo executor = Samples.executor(random, framework);
    hook.tell("agentTaskRemoved", it -> it.agentTaskRemoved(framework.getId(), task));
    hook.tell("agentExecutorRemoved", it -> it.agentExecutorRemoved(framework, executor));
  }

  private void checkLabels(String what, Labels before, Labels after) {
    Set<Label> lost = new HashSet<>(before.getLabelsList());
    lost.removeAll(after.getLabelsList());
    check(
        !keepsLabels() || lost.isEmpty(),
        what
            + " took away "
            + lost
            + ": what it returns replaces the labels of the task, so add to those that it has");
  }

  private static void checkResources(String what, Collection<Resource> resources) {
    try {
      Resources.of(resources);
    } catch (ResourceFormatException e) {
      throw new AssertionError(what + " gave what cannot be read: " + e.getMessage(), e);
    }
  }

  private static void checkVariables(String what, Map<String, String> variables) {
    for (Map.Entry<String, String> each : variables.entrySet()) {
      String name = each.getKey();
      check(
          name != null && !name.isEmpty() && name.indexOf('=') < 0 && name.indexOf('\0') < 0,
          what + " gave a variable that no process can have: '" + name + "'");
      check(
          each.getValue() != null && each.getValue().indexOf('\0') < 0,
          what + " gave '" + name + "' a value that no process can have");
    }
  }
}

package org.mezzo.agent.tasks;

import java.time.Duration;
import java.util.function.BiFunction;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.resources.Resources;

/**
 * What all executors of an agent share.
 *
 * @param timers runs something on the event loop later
 * @param updates tell what becomes of tasks
 * @param usage counts what is held
 * @param phases counts executors
 * @param launchErrors counts containers that could not be launched
 * @param limits what bounds them
 * @param checking has tasks checked that the agent runs itself
 * @param outcome hears what concerns more than one executor
 */
record ExecutorHost(
    BiFunction<Duration, Runnable, Timer> timers,
    TaskContainers containers,
    TaskSandboxes sandboxes,
    TaskUpdates updates,
    AgentHooks hooks,
    Usage usage,
    ExecutorPhases phases,
    Metrics.Counter launchErrors,
    AgentTasks.Limits limits,
    Checking checking,
    Outcome outcome) {

  /** What concerns more than one executor; called on the event loop. */
  interface Outcome {
    /**
     * An executor that a framework gave is gone, or will never be.
     *
     * @param status raw wait status, -1 when it is not known
     */
    void exited(FrameworkEntry framework, ExecutorInfo executor, int status);

    /** Nothing is left to do or to tell of an executor. */
    void settled(AgentExecutor executor);

    /** Persistent volumes in use by others than this executor, allocated to nobody. */
    Resources volumesBeside(AgentExecutor executor);
  }
}

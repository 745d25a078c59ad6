package org.mezzo.agent.recovery;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.mezzo.agent.checkpoint.AgentCheckpoint;
import org.mezzo.agent.checkpoint.Damage;
import org.mezzo.agent.checkpoint.Reconfiguration;
import org.mezzo.files.FileFailure;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which agent this process is: that of the run before while it may be, else a new one, which the
 * master names. Changed by the event loop once the agent serves; may be read by any thread.
 */
public final class AgentIdentity {
  private static final Logger LOG = LoggerFactory.getLogger(AgentIdentity.class);
  private static final Duration RETRY = Duration.ofSeconds(10);

  private final AgentCheckpoint checkpoint;
  private final Damage damage;
  private final Reconfiguration policy;
  private final boolean cleanup;
  private final Executor writers;
  private final BiConsumer<Duration, Runnable> timers;
  private volatile AgentInfo info;
  private volatile CompletableFuture<Void> stored = CompletableFuture.completedFuture(null);

  /**
   * A new agent as yet.
   *
   * @param fresh as the flags and the machine describe it, without id
   * @param policy what may have changed since the last run
   * @param cleanup whether it only ends what is left of the last run, as whom it was then
   * @param writers store it
   * @param timers call on the loop
   */
  public AgentIdentity(
      AgentInfo fresh,
      Path workDir,
      Damage damage,
      Reconfiguration policy,
      boolean cleanup,
      Executor writers,
      BiConsumer<Duration, Runnable> timers) {
    this.info = fresh;
    this.checkpoint = new AgentCheckpoint(workDir);
    this.damage = damage;
    this.policy = policy;
    this.cleanup = cleanup;
    this.writers = writers;
    this.timers = timers;
  }

  /** The agent, without an id before it is registered for the first time. */
  public AgentInfo info() {
    return info;
  }

  /** Complete when the last id that the master gave was stored, or could not be yet. */
  public CompletionStage<Void> stored() {
    return stored;
  }

  /**
   * Is the agent of the last run where it may still be that one (rules 179, 180). Blocks; before it
   * registers.
   *
   * @param kept what ran
   * @param sameBoot whether that may run on
   * @throws IOException when a new agent would lose what still runs here
   */
  public void recall(Journal.Kept kept, boolean sameBoot) throws IOException {
    info = remembered(info, kept, sameBoot);
  }

  /** The master gave it that id. */
  public void registered(String agentId) {
    if (!info.hasId() || !info.getId().getValue().equals(agentId)) {
      AgentInfo named = info.toBuilder().setId(AgentID.newBuilder().setValue(agentId)).build();
      info = named;
      store(named);
    }
  }

  /**
   * The agent of the last run when it may still be that one (rules 179, 180), else a new one.
   *
   * @throws IOException when a new one would lose what still runs here
   */
  private AgentInfo remembered(AgentInfo fresh, Journal.Kept kept, boolean sameBoot)
      throws IOException {
    AgentCheckpoint.Kept stored = checkpoint.load(damage);
    if (stored.damaged()) {
      return byItsTasks(fresh, kept);
    }
    Optional<AgentInfo> before = stored.agent();
    if (before.isEmpty()) {
      return fresh;
    }
    if (cleanup) {
      return before.get();
    }
    String id = before.get().getId().getValue();
    Optional<String> objection = policy.objection(before.get(), fresh);
    long running = kept.executors().stream().filter(executor -> !executor.getEnded()).count();
    if (objection.isPresent() && sameBoot && running > 0) {
      throw new IOException(
          "Agent "
              + id
              + " has "
              + running
              + " executors that may still run, and cannot become another agent: "
              + objection.get()
              + ", which --reconfiguration_policy="
              + policy.name().toLowerCase(Locale.ROOT)
              + " does not take. They run on, and nothing was changed. Start it as before"
              + (policy.alsoUnder(Reconfiguration.ANY, before.get(), fresh)
                  ? ", or with --reconfiguration_policy=any, by which what still fits runs on"
                  : "")
              + "; or end them before, by a start with --recover=cleanup");
    }
    if (objection.isPresent()) {
      LOG.warn(
          "This agent was {} and registers as a new one: {}, which --reconfiguration_policy={} does"
              + " not take for the same agent. The master gives {} up after its timeout",
          id,
          objection.get(),
          policy.name().toLowerCase(Locale.ROOT),
          id);
      return fresh;
    }
    AgentInfo same = fresh.toBuilder().setId(before.get().getId()).build();
    if (!same.equals(before.get())) {
      checkpoint.store(same);
      LOG.info("Agent {} comes back changed", id);
    }
    return same;
  }

  /** What is on record of the agent is damaged: its tasks say which one it was. */
  private AgentInfo byItsTasks(AgentInfo fresh, Journal.Kept kept) throws IOException {
    Set<AgentID> ids =
        kept.tasks().stream()
            .map(task -> task.getInfo().getAgentId())
            .filter(id -> !id.getValue().isEmpty())
            .collect(Collectors.toSet());
    if (ids.size() != 1) {
      return fresh;
    }
    AgentInfo same = fresh.toBuilder().setId(ids.iterator().next()).build();
    checkpoint.store(same);
    LOG.warn("By the tasks that it has, this is agent {}", same.getId().getValue());
    return same;
  }

  private void remember(AgentInfo named) {
    try {
      checkpoint.store(named);
    } catch (IOException e) {
      LOG.error(
          "Cannot store the agent's id in {}, so that after a restart it would be a new agent; it"
              + " is tried again in {} s: {}",
          checkpoint.file(),
          RETRY.toSeconds(),
          FileFailure.reason(e));
      timers.accept(RETRY, () -> store(named));
    }
  }

  private void store(AgentInfo named) {
    if (named == info) {
      stored = CompletableFuture.runAsync(() -> remember(named), writers);
    }
  }
}

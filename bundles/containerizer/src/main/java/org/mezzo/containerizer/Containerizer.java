package org.mezzo.containerizer;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.resources.Resources;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Runs the containers of one agent, which form a tree: those of executors and standalone ones at
 * the top, nested and debug containers in them. Safe for any thread; no method blocks but {@link
 * #close} and {@link #detach}. Stages complete on threads of the containerizer, which must not be
 * held up.
 */
@ProviderType
public interface Containerizer extends AutoCloseable {

  /**
   * Opens the containerizer of one agent, which must be alone on its runtime directory. What an
   * earlier agent process left there is known at once, and untouched until {@link #recover}.
   */
  static Containerizer open(ContainerizerHost host, ContainerizerOptions options)
      throws IOException {
    return new org.mezzo.containerizer.processes.ProcessContainerizer(host, options);
  }

  /**
   * Makes the sandbox, fetches the URIs, prepares the isolators and starts the first process. What
   * its {@link ContainerIo} asks of the launcher and that cannot give, fails the launch by its
   * name. A nested one is in the network of its parent; where that has a network namespace of its
   * own which the launcher cannot enter, the launch fails with {@link UnableException}.
   *
   * @return completes when the process exists and is let go; exceptionally with {@link
   *     LaunchException}, in which case nothing of the container is left but its sandbox; of those
   *     a {@link ContainerExistsException} where the id is taken, and nothing was done
   */
  CompletionStage<Launched> launch(LaunchRequest request);

  /**
   * Gives a container other resources, and lets isolators know. Changes of one container follow
   * each other, and of several that wait only the newest is made; those of one that is being
   * launched wait until it runs. What is wanted is known to whoever opens the runtime directory
   * next.
   *
   * @param resources in place of those it has, without allocation role
   * @param limits in place of those it has; empty when there are none
   * @return whether it was made: false of a container that is unknown or over. Exceptionally with
   *     {@link LaunchException} when an isolator did not make it, in which case some may have
   */
  CompletionStage<Boolean> update(ContainerId containerId, Resources resources, Resources limits);

  /**
   * Makes and removes links in the sandbox of a container, once it runs, with the rights of its
   * user, whose the sandbox is.
   *
   * @param made each with the folders on the way to it; one that is there is left
   * @param removed where they lead elsewhere by now, or are not there, nothing is done
   * @param owned folders that are given to the container's user first, not what is in them; nobody
   *     but the agent may be able to exchange one
   * @return completes when all is done; exceptionally with {@link LaunchException} that says what
   *     could not be made
   */
  CompletionStage<Void> link(
      ContainerId containerId, List<Link> made, List<Link> removed, List<Path> owned);

  /**
   * Sends a signal to every process of a container, not to those nested in it.
   *
   * @return whether there was any
   */
  CompletionStage<Boolean> signal(ContainerId containerId, int signal);

  /**
   * Kills every process of a container, including those that are born meanwhile; first of the
   * containers in it. A launch under way is cancelled. Waits behind no launch and no fetch.
   *
   * @return completes when none is left and isolators have cleaned up
   */
  CompletionStage<Void> destroy(ContainerId containerId);

  /**
   * How a container ends.
   *
   * @return empty for one that is unknown; completes once it has ended. What came of a nested one
   *     is known as long as its parent is (rule 343), unless it was to be passing, and of one that
   *     is to be kept until {@link #remove}; of the oldest of more than 10,000 it is not
   */
  CompletionStage<Optional<Termination>> termination(ContainerId containerId);

  /**
   * Forgets how a container ended, and those that were in it. Its sandbox stays, it is whoever made
   * it who deletes it.
   *
   * @return whether there was anything to forget; fails with {@link IllegalStateException} when it
   *     has not ended
   */
  CompletionStage<Boolean> remove(ContainerId containerId);

  /**
   * Gives somebody what a container writes from now on; of one whose output is not kept, also what
   * nobody has got yet. Any number may be attached to the output of a container, up to 15 at a
   * time.
   *
   * @param sink called from when the stage completes, or a moment before
   * @return fails with {@link AttachException}
   */
  CompletionStage<Attachment> attachOutput(ContainerId containerId, OutputSink sink);

  /**
   * Gives somebody the input of a container, which is free when that one is gone.
   *
   * @return fails with {@link AttachException}
   */
  CompletionStage<ContainerInput> attachInput(ContainerId containerId);

  /**
   * What a container uses now, nested ones included; empty when it is unknown or has ended, and of
   * an enclosure.
   */
  CompletionStage<Optional<ResourceStatistics>> usage(ContainerId containerId);

  /** The parts of the container's status that isolators know, and the pid of its first process. */
  CompletionStage<ContainerStatus> status(ContainerId containerId);

  /**
   * Containers that are launched from now on are isolated by the modules of these names, once they
   * have opened; those that there are stay with the modules that prepared them.
   */
  void selectIsolation(List<String> isolation);

  /**
   * Whether containers that are launched now can have mounts, so that volumes can be for reading
   * only and anywhere; where they were asked for and cannot be, launches say why. Safe for any
   * thread.
   */
  boolean mounts();

  /** Containers that are launched from now on have that logger, once it has opened. */
  void selectLogging(ContainerizerOptions.Logging logging);

  /** Containers that are launched from now on have that secret resolver, once it has opened. */
  void selectSecretResolver(String name);

  /** What is being done to containers now, in no order: launches and ends that are not over. */
  List<Pending> pending();

  /**
   * Whether the first process of a container was let go and, as far as anybody knows, has not
   * ended, and nobody is ending it. What comes of those in it because it ends is told when this is
   * false already. It is of all once this has ended itself.
   */
  boolean runs(ContainerId containerId);

  /** Ids of the containers that are being launched, run or are being destroyed. */
  Set<ContainerId> containers();

  /**
   * Takes over what an earlier agent process left. A container that is to be kept and runs goes on,
   * whatever is nested in it too but what looks after it (of the class DEBUG, in its sandbox), and
   * is from then on like one that was launched here; one that ended meanwhile is told with its wait
   * status. All others are killed and cleaned up. After a reboot none runs, whatever the files say
   * (rule 178). Call once, before the first launch.
   *
   * @param keep asked of each container that is nested in none, on a thread of the containerizer
   * @return all that were found, an outer container before those in it; completes when those that
   *     are not adopted are gone
   */
  CompletionStage<List<Recovered>> recover(Predicate<ContainerId> keep);

  /** Ends and leaves the containers running, for whoever opens the runtime directory next. */
  void detach();

  /** Destroys every container and ends; returns when all are gone or the time is over. */
  void close(Duration limit);

  @Override
  default void close() {
    close(Duration.ofSeconds(5));
  }

  /**
   * Something that is being done to a container.
   *
   * @param step how far it is: PROVISIONING, FETCHING, PREPARED (isolators are asked), CREATED (its
   *     process is being made), ISOLATING, DESTROYING; UPDATING where isolators are told of other
   *     resources
   */
  record Pending(ContainerId containerId, String step) {}

  /**
   * A symbolic link in a sandbox.
   *
   * @param at relative to the sandbox
   * @param to absolute
   */
  record Link(Path at, Path to) {}

  /**
   * A container of an earlier agent process.
   *
   * @param adopted whether it goes on; otherwise it is gone
   * @param pid of its first process; empty when nobody knows of one
   * @param termination how it ended or ends, without a status where nobody saw it
   */
  record Recovered(
      ContainerId containerId,
      boolean adopted,
      OptionalLong pid,
      CompletionStage<Termination> termination) {}

  /**
   * A container whose first process runs.
   *
   * @param pid of the first process, which is also its session; 0 of an enclosure
   * @param termination how the first process ended, once the agent knows. Part of the answer,
   *     because a container may be over and forgotten before anybody can ask for it. With isolators
   *     it completes after they have cleaned up, so that a limit only they know of is in it;
   *     without, what is left of the container is being destroyed meanwhile.
   */
  record Launched(ContainerId containerId, long pid, CompletionStage<Termination> termination) {}

  /**
   * A limit that made the agent destroy the container.
   *
   * @param reason a name of {@code TaskStatus.Reason}
   */
  record Limitation(Resources resources, String reason, String message) {}
}

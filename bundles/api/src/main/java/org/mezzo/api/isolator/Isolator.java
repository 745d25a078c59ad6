package org.mezzo.api.isolator;

import java.util.List;
import java.util.Optional;
import org.mezzo.api.Module;
import org.mezzo.api.Sink;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Limits and describes one aspect of the containers of an agent.
 *
 * <p>Order of calls: {@link #recover} first, once per instance, with every container that is
 * prepared or runs, its phase, and what an instance before it has kept of it; then per container
 * {@link #prepare} before its process exists, {@link #isolate} while the process waits to be let
 * go, any number of {@link #update}, {@link #usage}, {@link #status}, and {@link #cleanup} after
 * its last process ended. Isolators are called in the order of {@code --isolation}, for {@link
 * #cleanup} in reverse.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}. Deadline of each call: 10 seconds. A failure of
 * {@link #recover} refuses the instance the lease: the one before it goes on; of {@link #prepare}
 * or {@link #isolate} fails the launch with {@code REASON_CONTAINER_LAUNCH_FAILED}; of {@link
 * #update} fails the tasks that the container was to grow for with {@code
 * REASON_CONTAINER_UPDATE_FAILED}; of {@link #usage} and {@link #status} is counted and leaves
 * things as they are; of {@link #cleanup} is logged and counted. What must outlive the instance
 * goes into the plan's {@link LaunchPlan#state}, what must outlive the agent into the runtime
 * directory.
 *
 * <p>When an isolator goes away, running containers run on with the limits that were set; launches
 * fail while one that {@code --isolation} names is absent. One that (re)appears is told by {@link
 * #limitations}, {@link #watches} and {@link #recover} before anything else; what it finds of
 * containers that are not in that list is left over and its to remove.
 */
@ConsumerType
public interface Isolator extends Module {

  /** The value of {@code mezzo.module.kind} of isolators. */
  String KIND = "isolator";

  /**
   * Told once, before {@link #recover}, where to report limits that containers have reached, as
   * events; the agent then destroys the container. The first report of a container counts, others
   * change nothing. In {@link #recover} an instance reports the limits that were reached and that
   * no instance may have reported yet; in {@link #cleanup} it is not too late.
   */
  default void limitations(Sink<ContainerLimitation> sink) {}

  /**
   * Told once, before {@link #recover}, where to ask for cgroups to be watched, as events. Each is
   * answered by {@link #watched}, soon or late, and ends with the container; whoever takes over
   * asks again. What an instance asks for in vain costs nothing.
   */
  default void watches(Sink<CgroupWatch> sink) {}

  /**
   * What became of a watch that this instance, or one before it, has asked for. Told {@link
   * CgroupWatch.News#BEGUN} or {@link CgroupWatch.News#ENDED} first, and of each change; one {@link
   * CgroupWatch.News#HAPPENED} may stand for several. A failure is counted and changes nothing.
   *
   * @param watch may be of a container that this instance does not know
   */
  default void watched(CgroupWatch watch, CgroupWatch.News news) throws Exception {}

  /**
   * The containers that an instance before this one has prepared or isolated and not cleaned up, by
   * order of an earlier agent process, too; empty on a fresh agent. One in the phase {@code
   * PREPARED} this instance will be asked to {@link #isolate} or {@link #cleanup}, and it may have
   * been asked to isolate it before, by an agent that did not live to note it. One of which nothing
   * was noted is in the phase {@code ISOLATED}, has no state, and is to be cleaned up.
   */
  void recover(List<RecoveredContainer> containers) throws Exception;

  /**
   * Whether it wants to be asked about containers that are nested in others, too; otherwise these
   * share what it does for the outermost one.
   */
  default boolean nests() {
    return false;
  }

  /**
   * A container is about to be launched. Tells how; {@link LaunchPlan#NONE} for nothing special.
   */
  LaunchPlan prepare(Container container) throws Exception;

  /** The container's first process exists and waits; {@code pid} is its process id. */
  void isolate(Container container, long pid) throws Exception;

  /**
   * A running container is to have {@code container.resources()} and {@code container.limits()}: it
   * grows before a task comes to it, and shrinks when one has ended. Calls for one container follow
   * each other, between {@link #isolate} and {@link #cleanup}; the same may be asked twice, by an
   * agent that does not know whether the one before it came so far. What a container uses at the
   * moment must not be taken from it: a bound below that waits, or stays as it was.
   */
  default void update(Container container) throws Exception {}

  /** This isolator's part of the container's usage; the agent merges all parts. */
  default Optional<ResourceStatistics> usage(Container container) throws Exception {
    return Optional.empty();
  }

  /** This isolator's part of the container's status; the agent merges all parts. */
  default Optional<ContainerStatus> status(Container container) throws Exception {
    return Optional.empty();
  }

  /** The container has ended and everything made for it goes. Unknown containers are ignored. */
  void cleanup(Container container) throws Exception;
}

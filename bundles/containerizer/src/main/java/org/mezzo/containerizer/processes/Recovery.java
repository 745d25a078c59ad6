package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.api.isolator.RecoveredContainer.Phase;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.Termination;
import org.mezzo.containerizer.processes.Lifecycle.Event;
import org.mezzo.containerizer.processes.Lifecycle.State;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an earlier agent process left: what the log says of it, what the shims have written since,
 * and what runs. Says where each container goes on, and does nothing to it. Belongs to the loop,
 * but for what is asked of it before there is one.
 */
final class Recovery {
  private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

  /**
   * Where a container goes on.
   *
   * @param event what happens to it first
   */
  record Decision(ManagedContainer container, boolean adopted, Optional<Event> event) {}

  private final ContainerTable table;
  private final RuntimeFolder files;
  private final ContainerLog.Found found;
  private final List<Decision> decided = new ArrayList<>();

  /** Puts into the table what the log knows of; nothing is done to it yet. */
  Recovery(ContainerTable table, RuntimeFolder files, ContainerLog.Found found) {
    this.table = table;
    this.files = files;
    this.found = found;
    for (Checkpoint checkpoint : found.containers().values()) {
      Optional<ContainerId> outer = checkpoint.id().parent();
      if (outer.isPresent() && table.find(outer.get()).isEmpty()) {
        LOG.warn("Container {} was in none that is known", checkpoint.id());
        continue;
      }
      add(checkpoint, outer.flatMap(table::find));
    }
  }

  private ManagedContainer add(Checkpoint checkpoint, Optional<ManagedContainer> outer) {
    Path folder = files.folder(checkpoint.id());
    ManagedContainer container =
        new ManagedContainer(
            checkpoint.id(),
            folder,
            checkpoint.container(),
            checkpoint.kept(),
            checkpoint.enclosure(),
            outer);
    container.isolated = checkpoint.isolated();
    container.states.putAll(checkpoint.states());
    container.change.due = checkpoint.resized();
    container.found = Optional.of(checkpoint);
    container.state = checkpoint.state();
    if (found.sameBoot()) {
      container.process = RuntimeFolder.process(folder);
    }
    table.add(container);
    return container;
  }

  /** What the log is to begin with. */
  List<byte[]> entries() {
    List<byte[]> all = new ArrayList<>();
    table.inOrder().forEach(it -> all.addAll(it.found.orElseThrow().entries()));
    return all;
  }

  /** What isolators have prepared and not cleaned up, by their names. */
  Map<String, List<RecoveredContainer>> prepared() {
    Map<String, List<RecoveredContainer>> all = new HashMap<>();
    if (!found.sameBoot()) {
      return all;
    }
    for (ManagedContainer each : table.inOrder()) {
      Checkpoint checkpoint = each.found.orElseThrow();
      if (checkpoint.end().isPresent()) {
        continue;
      }
      Phase phase = checkpoint.ran() ? Phase.ISOLATED : Phase.PREPARED;
      checkpoint
          .states()
          .forEach(
              (isolator, state) ->
                  all.computeIfAbsent(isolator, unused -> new ArrayList<>())
                      .add(RecoveredContainer.of(each.withProcess(), phase, state)));
    }
    return all;
  }

  /**
   * Decides of all, an outer container before those in it. Those of which the log knows nothing are
   * added and destroyed.
   *
   * @param keep asked of those that are nested in none
   * @param isolating whether isolators clean up after those that the log does not know
   */
  List<Decision> decide(Predicate<ContainerId> keep, boolean isolating, boolean grouped)
      throws IOException {
    for (ContainerId id : files.present()) {
      Optional<ManagedContainer> outer = id.parent().flatMap(table::find);
      if (table.find(id).isEmpty() && (id.parent().isEmpty() || outer.isPresent())) {
        unknown(id, outer, isolating);
      }
    }
    Map<ContainerId, Boolean> kept = new HashMap<>();
    for (ManagedContainer each : table.inOrder()) {
      if (each.found.isEmpty()) {
        continue;
      }
      boolean wanted = kept.computeIfAbsent(each.id.root(), keep::test);
      decided.add(decide(each, each.found.get(), wanted, grouped));
    }
    return decided;
  }

  List<Decision> decided() {
    return decided;
  }

  private void unknown(ContainerId id, Optional<ManagedContainer> outer, boolean isolating) {
    Path sandbox = RuntimeFolder.sandbox(files.folder(id)).orElse(files.folder(id));
    Container.Builder container = Container.builder(id.path(), sandbox);
    outer.filter(it -> !it.enclosure).ifPresent(it -> container.parent(it.container.id()));
    LOG.warn("Nothing is written of container {}, which is destroyed", id);
    add(
        new Checkpoint(
            id,
            container.build(),
            false,
            false,
            State.DESTROYING,
            true,
            isolating && found.sameBoot(),
            false,
            false,
            Map.of(),
            Optional.empty()),
        outer);
  }

  private Decision decide(
      ManagedContainer container, Checkpoint checkpoint, boolean wanted, boolean grouped) {
    if (grouped && found.sameBoot()) {
      container.cgroup = RuntimeFolder.cgroup(container.folder);
    }
    if (checkpoint.end().isPresent()) {
      return ended(container, checkpoint, checkpoint.end().get(), wanted);
    }
    if (checkpoint.enclosure()) {
      boolean stays = wanted && found.sameBoot() && checkpoint.state() == State.RUNNING;
      return stays
          ? at(container, checkpoint, true, State.RUNNING, true, null)
          : at(container, checkpoint, wanted, State.PREPARED, false, Event.DESTROY);
    }
    container.ending = container.ending.status(RuntimeFolder.status(container.folder));
    if (!found.sameBoot()) {
      // What the pids say is of the time before; so is what isolators made.
      container.isolated = false;
      return at(container, checkpoint, wanted, State.PREPARED, false, Event.DESTROY);
    }
    container.process = RuntimeFolder.process(container.folder);
    boolean spawned = checkpoint.state().compareTo(State.CREATED) >= 0;
    if (container.process.isEmpty() && spawned && container.ending.waitStatus().isEmpty()) {
      // The launcher that was asked for it has ended: whatever has not begun never will.
      Path aside = files.withdraw(container.id);
      container.process = RuntimeFolder.process(aside);
      return at(container, checkpoint, wanted, State.RUNNING, false, Event.DESTROY);
    }
    if (!spawned) {
      return at(container, checkpoint, wanted, State.PREPARED, false, Event.DESTROY);
    }
    if (!wanted
        || watching(container)
        || checkpoint.state() == State.DESTROYING
        || container.process.isEmpty()) {
      return at(container, checkpoint, wanted, State.RUNNING, false, Event.DESTROY);
    }
    boolean waits = checkpoint.held() && checkpoint.state() != State.RUNNING;
    ShimProcess process = container.process.get();
    boolean runs =
        container.ending.waitStatus().isEmpty() && (process.alive() || process.shimAlive());
    if (!runs) {
      return at(
          container, checkpoint, wanted, State.RUNNING, false, waits ? Event.DESTROY : Event.ENDED);
    }
    return waits
        ? at(container, checkpoint, wanted, State.CREATED, true, Event.STARTED)
        : at(container, checkpoint, wanted, State.RUNNING, true, null);
  }

  /** One that looks after its parent, for somebody who is not there any more. */
  private static boolean watching(ManagedContainer container) {
    return container
        .host()
        .map(outer -> outer.container.sandbox().equals(container.container.sandbox()))
        .orElse(false);
  }

  private static Decision ended(
      ManagedContainer container, Checkpoint checkpoint, Termination end, boolean wanted) {
    container.ending = new Ending(end.waitStatus(), end.limitation(), Optional.empty());
    container.termination.complete(end);
    container.isolated = false;
    boolean keep = wanted && checkpoint.kept() && checkpoint.ran();
    if (keep && checkpoint.state() == State.EXITED) {
      container.launched.completeExceptionally(new LaunchException("It has ended"));
      container.destroyed.complete(null);
      container.life = Lifecycle.recovered(State.EXITED, true, true);
      return new Decision(container, false, Optional.empty());
    }
    // Its files may be left, and its cgroup.
    container.life = Lifecycle.recovered(State.DESTROYING, keep, checkpoint.ran());
    return new Decision(container, false, Optional.of(Event.CLEANED));
  }

  private static Decision at(
      ManagedContainer container,
      Checkpoint checkpoint,
      boolean wanted,
      State state,
      boolean adopted,
      Event event) {
    boolean ran = checkpoint.ran() || state == State.RUNNING && event != Event.DESTROY;
    container.life = Lifecycle.recovered(state, checkpoint.kept() && wanted, ran);
    container.life.hold(checkpoint.held());
    if (checkpoint.enclosure()) {
      container.life.enclose();
    }
    if (!container.children.isEmpty()) {
      container.life.parent();
    }
    return new Decision(container, adopted, Optional.ofNullable(event));
  }
}

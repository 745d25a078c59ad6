package org.mezzo.containerizer.processes;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.mezzo.api.isolator.Container;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.containerizer.Termination;

/**
 * One container in the tree. Its state belongs to the loop; what other threads look at is volatile
 * and only the loop changes it.
 */
final class ManagedContainer {
  final ContainerId id;

  /** What the launcher knows it by. */
  final String key;

  /** Where its files are. */
  final Path folder;

  /** As isolators see it, or are to see it soon, without its process. */
  volatile Container container;

  final boolean kept;

  /** Whether it has no process, and only holds others. */
  final boolean enclosure;

  final Optional<ManagedContainer> parent;
  final CompletableFuture<Launched> launched = new CompletableFuture<>();
  final CompletableFuture<Termination> termination = new CompletableFuture<>();
  final CompletableFuture<Void> destroyed = new CompletableFuture<>();

  // Of the loop.
  final Set<ManagedContainer> children = new LinkedHashSet<>();
  Lifecycle life;
  Ending ending = Ending.UNKNOWN;

  /** Whether isolators were asked about it, whatever is selected meanwhile. */
  volatile boolean isolated;

  /** What isolators want kept, by their names. */
  final Map<String, byte[]> states = new LinkedHashMap<>();

  /** What is to be done about its resources. */
  final Resizing.Change change = new Resizing.Change();

  /** How it came to be here, until that is over. */
  Optional<Launch> launch = Optional.empty();

  /** What an earlier agent wrote of it, until it is decided what becomes of it. */
  volatile Optional<Checkpoint> found = Optional.empty();

  volatile Lifecycle.State state = Lifecycle.State.NEW;
  volatile Optional<ShimProcess> process = Optional.empty();
  volatile Optional<Path> cgroup = Optional.empty();

  /** When the launcher was asked for the process; 0 before. */
  volatile long askedNanos;

  /** Whoever was asked for the process is gone: what has not begun by now never will. */
  volatile boolean abandoned;

  ManagedContainer(
      ContainerId id,
      Path folder,
      Container container,
      boolean kept,
      boolean enclosure,
      Optional<ManagedContainer> parent) {
    this.id = id;
    this.key = RuntimeFolder.key(id);
    this.folder = folder;
    this.container = container;
    this.kept = kept;
    this.enclosure = enclosure;
    this.parent = parent;
    life = new Lifecycle(kept);
    if (enclosure) {
      life.enclose();
    }
    this.state = life.state();
  }

  /** The container whose processes it shares limits and a sandbox with; none of an enclosure. */
  Optional<ManagedContainer> host() {
    return parent.filter(outer -> !outer.enclosure);
  }

  /** As isolators see it, with its process where it has one. */
  Container withProcess() {
    Optional<ShimProcess> first = process;
    return first.isPresent() ? container.toBuilder().pid(first.get().pid()).build() : container;
  }

  /** Whether it may have processes, or will. */
  boolean listed() {
    Lifecycle.State now = state;
    return now != Lifecycle.State.EXITED && now != Lifecycle.State.REMOVED;
  }

  @Override
  public String toString() {
    return id.toString();
  }
}

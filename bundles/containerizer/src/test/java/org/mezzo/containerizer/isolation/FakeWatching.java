package org.mezzo.containerizer.isolation;

import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps what is to be watched. */
public final class FakeWatching implements IsolatorChain.Watching {
  final Set<Path> watched = ConcurrentHashMap.newKeySet();

  @Override
  public void watch(Path cgroup) {
    watched.add(cgroup);
  }

  @Override
  public void unwatch(Path cgroup) {
    watched.remove(cgroup);
  }
}

package org.mezzo.itests.swap.modules;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;

/**
 * Keeps what a real one would keep of each container, and says when it is asked about one that it
 * should know and does not. Goes into test bundles.
 */
public final class SwappedIsolator implements Isolator {
  private final Witness witness = new Witness(KIND);
  private final Set<String> known = new HashSet<>();

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public void recover(List<RecoveredContainer> containers) {
    containers.forEach(recovered -> known.add(recovered.container().id()));
    witness.knows(known.size());
  }

  @Override
  public LaunchPlan prepare(Container container) throws Exception {
    return witness.call(
        "prepare",
        () -> {
          known.add(container.id());
          return LaunchPlan.environment(Map.of("SWAP_ISOLATOR", witness.signature()));
        });
  }

  @Override
  public void isolate(Container container, long pid) throws Exception {
    witness.call(
        "isolate",
        () -> {
          if (!known.contains(container.id())) {
            witness.fault("a container to isolate is not known");
          }
          return true;
        });
  }

  @Override
  public void cleanup(Container container) throws Exception {
    witness.call(
        "cleanup",
        () -> {
          if (!known.remove(container.id())) {
            witness.fault("a container to clean up is not known");
          }
          witness.knows(known.size());
          return true;
        });
  }
}

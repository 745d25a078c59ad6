package org.mezzo.isolator.posix;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.LaunchPlan.Rlimit;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.RLimitInfo;
import org.mezzo.protocol.v1.RLimitInfo.RLimit;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Limits the processes of a container as its framework says in {@code rlimit_info}; the launcher
 * carries it out. A hard limit above the agent's own needs root.
 */
@Component(service = Isolator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Isolator.KIND,
    name = "posix/rlimits",
    version = "0.1.0",
    author = "Mezzo",
    description = "limits processes as `rlimit_info` of containers says",
    flags = {})
public final class RlimitsIsolator implements Isolator {

  @Override
  public void open(DaemonContext context) {
    // Nothing is kept of containers.
  }

  @Override
  public void recover(List<RecoveredContainer> containers) {
    // Limits were set when processes began.
  }

  /** What is nested has its own description. */
  @Override
  public boolean nests() {
    return true;
  }

  /**
   * Takes what the framework says.
   *
   * @throws IOException when that cannot be: the user's fault, which must not count as this
   *     module's
   */
  @Override
  public LaunchPlan prepare(Container container) throws IOException {
    RLimitInfo info = container.info().map(ContainerInfo::getRlimitInfo).orElse(null);
    if (info == null || info.getRlimitsCount() == 0) {
      return LaunchPlan.NONE;
    }
    LaunchPlan.Builder plan = LaunchPlan.builder();
    Set<RLimit.Type> seen = new HashSet<>();
    for (RLimit limit : info.getRlimitsList()) {
      String name = limit.getType().name().replaceFirst("RLMT_", "RLIMIT_");
      if (limit.getType() == RLimit.Type.UNKNOWN) {
        throw new IOException(
            "`container.rlimit_info` has a limit whose `type` is missing or unknown");
      }
      if (!seen.add(limit.getType())) {
        throw new IOException("`container.rlimit_info` has " + name + " twice; leave one out");
      }
      if (limit.hasSoft() != limit.hasHard()) {
        throw new IOException(
            "`container.rlimit_info` must give both `soft` and `hard` of "
                + name
                + ", or neither for no limit");
      }
      if (limit.hasSoft() && Long.compareUnsigned(limit.getSoft(), limit.getHard()) > 0) {
        throw new IOException(
            "`container.rlimit_info` has a `soft` limit of "
                + name
                + " above its `hard` one: "
                + Long.toUnsignedString(limit.getSoft())
                + " > "
                + Long.toUnsignedString(limit.getHard()));
      }
      plan.rlimit(
          name,
          limit.hasSoft()
              ? new Rlimit(OptionalLong.of(limit.getSoft()), OptionalLong.of(limit.getHard()))
              : new Rlimit(OptionalLong.empty(), OptionalLong.empty()));
    }
    return plan.build();
  }

  @Override
  public void isolate(Container container, long pid) {
    // The launcher has limited it.
  }

  @Override
  public void cleanup(Container container) {
    // Limits end with processes.
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}

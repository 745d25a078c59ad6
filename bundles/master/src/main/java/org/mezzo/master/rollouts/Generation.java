package org.mezzo.master.rollouts;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.mezzo.link.messages.WantedModule;
import org.mezzo.link.messages.WantedModules;
import org.mezzo.protocol.v1.AgentInfo;

/**
 * Which module bundles are wanted in the cluster beside those that each host was set up with.
 * Immutable.
 *
 * @param number grows with each that somebody wanted; 0 of the one in which nothing is
 * @param modules at most one of a symbolic name
 * @param who the principal of who wanted it; empty when nobody knows
 */
public record Generation(long number, List<WantedBundle> modules, String who, Instant when) {
  /** Nothing is wanted. */
  public static final Generation NONE = new Generation(0, List.of(), "", Instant.EPOCH);

  public Generation {
    modules = List.copyOf(modules);
  }

  /** What of it an agent is to have. */
  public List<WantedBundle> on(AgentInfo agent) {
    return on(new Member.OfAgent(agent));
  }

  /** What of it a daemon is to have. */
  public List<WantedBundle> on(Member member) {
    return modules.stream().filter(it -> it.selector().matches(member)).toList();
  }

  /** How a daemon is told what of it it is to have. */
  WantedModules message(Member member) {
    WantedModules.Builder message = WantedModules.newBuilder().setGeneration(number);
    for (WantedBundle bundle : on(member)) {
      message.addModules(
          WantedModule.newBuilder()
              .setSymbolicName(bundle.symbolicName())
              .setVersion(bundle.version())
              .setSha256(bundle.sha256())
              .setSize(bundle.size()));
    }
    return message.build();
  }

  /** With a bundle in the place of the one of its symbolic name, if there is one. */
  public List<WantedBundle> with(WantedBundle bundle) {
    List<WantedBundle> next = without(bundle.symbolicName());
    next.add(bundle);
    return next;
  }

  /** Without the bundle of a symbolic name. */
  public List<WantedBundle> without(String symbolicName) {
    List<WantedBundle> next = new ArrayList<>(modules);
    next.removeIf(it -> it.symbolicName().equals(symbolicName));
    return next;
  }
}

package org.mezzo.deployment.bundles;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;

/**
 * The time in which a started bundle has to show that it does what is asked of it, before it is
 * trusted.
 */
final class Probation {
  private static final Optional<String> STOPPING = Optional.of("the host is stopping");

  private final ModuleLeases leases;
  private final DeclaredModules modules;
  private final Uses uses;
  private final Supplier<Settings> settings;

  Probation(ModuleLeases leases, DeclaredModules modules, Uses uses, Supplier<Settings> settings) {
    this.leases = leases;
    this.modules = modules;
    this.uses = uses;
    this.settings = settings;
  }

  /**
   * Waits until the modules that a started bundle declares are registered.
   *
   * @return what is wrong; empty when they are
   */
  Optional<String> awaitRegistered(Bundle bundle) {
    long limit = settings.get().startTimeoutMillis();
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limit);
    Set<String> declared = modules.of(bundle);
    while (true) {
      Optional<String> waiting = missing(bundle, declared, registered(bundle));
      if (waiting.isEmpty()) {
        return waiting;
      }
      if (System.nanoTime() >= end) {
        return Optional.of(waiting.get() + " within " + limit + " ms");
      }
      if (!pause()) {
        return STOPPING;
      }
    }
  }

  private static boolean pause() {
    try {
      Thread.sleep(10);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Waits until the modules that a started bundle declares are registered, hold what its
   * predecessor held, and stay healthy for a while.
   *
   * @return what is wrong; empty when all is well
   */
  Optional<String> await(Bundle bundle, Set<Use> held) {
    Settings current = settings.get();
    long begin = System.nanoTime();
    long timeout = TimeUnit.MILLISECONDS.toNanos(current.startTimeoutMillis());
    long probation = TimeUnit.MILLISECONDS.toNanos(current.probationMillis());
    long healthySince = 0;
    Set<String> declared = modules.of(bundle);
    while (true) {
      long now = System.nanoTime();
      Optional<String> bad = ailment(bundle);
      if (bad.isPresent()) {
        return bad;
      }
      Optional<String> waiting = notReady(bundle, declared, held);
      if (waiting.isEmpty()) {
        if (healthySince == 0) {
          healthySince = now;
        }
        // What no daemon uses cannot show how it behaves, unless it has failed just now.
        if (uses.of(bundle.getBundleId()).isEmpty()) {
          return ailment(bundle);
        }
        long over = now - healthySince - probation;
        if (over >= 0) {
          Optional<String> misbehaviour = misbehaviour(bundle, Duration.ofNanos(over));
          if (misbehaviour.isEmpty() || now - begin >= timeout) {
            return misbehaviour;
          }
        }
      } else {
        healthySince = 0;
        if (now - begin >= timeout) {
          return Optional.of(waiting.get() + " within " + current.startTimeoutMillis() + " ms");
        }
      }
      if (!pause()) {
        return STOPPING;
      }
    }
  }

  /**
   * Watches a bundle that serves with something new for as long as a probation takes.
   *
   * @return what speaks against it; empty when nothing does
   */
  Optional<String> lasts(Bundle bundle) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(settings.get().probationMillis());
    while (System.nanoTime() < end) {
      Optional<String> bad = ailment(bundle);
      if (bad.isPresent()) {
        return bad;
      }
      if (!pause()) {
        return STOPPING;
      }
    }
    return trouble(bundle);
  }

  /**
   * What speaks against a bundle after its probation: it is quarantined, not well by its own word,
   * or calls throw.
   */
  Optional<String> trouble(Bundle bundle) {
    Optional<String> ailment = ailment(bundle);
    return ailment.isPresent()
        ? ailment
        : misbehaviour(bundle, Duration.ofSeconds(Integer.MAX_VALUE));
  }

  private Optional<String> ailment(Bundle bundle) {
    return leases.unhealthy().stream()
        .filter(module -> module.bundleId() == bundle.getBundleId())
        .map(ModuleDescription::ailment)
        .findFirst();
  }

  /**
   * What keeps a probation from its end: a call, where they are made one by one, that has run for
   * longer than that, or a last call that threw; of each daemon that sees one.
   */
  private Optional<String> misbehaviour(Bundle bundle, Duration longer) {
    List<String> seen = new ArrayList<>();
    for (LeaseDescription lease : leases.leases()) {
      boolean holds = lease.holder().filter(h -> h.bundleId() == bundle.getBundleId()).isPresent();
      String module = lease.kind() + " '" + lease.name() + "'";
      if (holds && lease.busy().compareTo(longer) > 0) {
        seen.add(
            String.format(
                "%s has not returned from a call of %s for %d ms",
                module, lease.daemon(), lease.busy().toMillis()));
      } else if (holds && lease.throwsInARow() > 0) {
        seen.add(
            String.format(
                "%s threw in the last %d calls of %s, the last one %s",
                module, lease.throwsInARow(), lease.daemon(), lease.failure()));
      }
    }
    return seen.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", seen));
  }

  private Optional<String> notReady(Bundle bundle, Set<String> declared, Set<Use> held) {
    Map<String, ModuleDescription> registered = registered(bundle);
    Optional<String> missing = missing(bundle, declared, registered);
    if (missing.isPresent()) {
      return missing;
    }
    for (String module : declared) {
      if (registered.get(module).state().equals("opening")) {
        return Optional.of(module + " did not open");
      }
    }
    for (Use use : held) {
      ModuleDescription description = registered.get(use.kind() + " " + use.name());
      if (description != null && !description.daemons().contains(use.daemon())) {
        return Optional.of(
            use.kind() + " " + use.name() + " was not taken over by " + use.daemon());
      }
    }
    return Optional.empty();
  }

  private Optional<String> missing(
      Bundle bundle, Set<String> declared, Map<String, ModuleDescription> registered) {
    return declared.stream()
        .filter(module -> !registered.containsKey(module))
        .findFirst()
        .map(module -> module + " was not registered" + modules.unsatisfied(bundle));
  }

  private Map<String, ModuleDescription> registered(Bundle bundle) {
    Map<String, ModuleDescription> registered = new HashMap<>();
    for (ModuleDescription module : leases.modules()) {
      if (module.bundleId() == bundle.getBundleId()) {
        registered.put(module.kind() + " " + module.name(), module);
      }
    }
    return registered;
  }
}

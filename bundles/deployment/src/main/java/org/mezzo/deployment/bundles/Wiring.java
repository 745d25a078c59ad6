package org.mezzo.deployment.bundles;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.hooks.bundle.CollisionHook;
import org.osgi.framework.hooks.resolver.ResolverHook;
import org.osgi.framework.hooks.resolver.ResolverHookFactory;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.BundleWire;
import org.osgi.framework.wiring.BundleWiring;

/**
 * Which module bundles are wired to which. While a version and its predecessor are both installed,
 * everything new is wired to the new ones and everything else to what runs. Hooks are called by any
 * thread; all else by deployment's.
 */
final class Wiring implements ResolverHookFactory, AutoCloseable {
  /** Installed to take over; only each other's. */
  private final Set<Long> candidates = ConcurrentHashMap.newKeySet();

  /** What the candidates are to take over from, or what has been taken over from; its own. */
  private final Set<Long> formers = ConcurrentHashMap.newKeySet();

  private final List<ServiceRegistration<?>> hooks = new ArrayList<>();

  Wiring(BundleContext context) {
    hooks.add(context.registerService(ResolverHookFactory.class, this, null));
    // Beside a bundle the same one may be installed, wired to other providers.
    CollisionHook beside =
        (operation, target, collisions) -> collisions.removeIf(ModuleBundles::isModule);
    hooks.add(context.registerService(CollisionHook.class, beside, null));
  }

  @Override
  public void close() {
    hooks.forEach(ServiceRegistration::unregister);
  }

  /** A bundle is to take over; nobody else gets anything of it until it is {@link #established}. */
  void candidate(Bundle bundle) {
    candidates.add(bundle.getBundleId());
  }

  /** A bundle is taken over from; candidates get nothing of it any more. */
  void former(Bundle bundle) {
    formers.add(bundle.getBundleId());
  }

  /** A bundle is like any other: it has taken over, or is not taken over from after all. */
  void established(Bundle bundle) {
    candidates.remove(bundle.getBundleId());
    formers.remove(bundle.getBundleId());
  }

  /** Module bundles that need a bundle, directly or not; those that others need come first. */
  static List<Bundle> dependents(Bundle bundle) {
    Deque<Bundle> order = new ArrayDeque<>();
    visit(bundle, new HashSet<>(), order);
    order.removeFirst();
    return List.copyOf(order);
  }

  private static void visit(Bundle bundle, Set<Bundle> visited, Deque<Bundle> order) {
    if (!visited.add(bundle)) {
      return;
    }
    BundleWiring wiring = bundle.adapt(BundleWiring.class);
    List<BundleWire> provided = wiring == null ? null : wiring.getProvidedWires(null);
    if (provided != null) {
      for (BundleWire wire : provided) {
        Bundle requirer = wire.getRequirer().getBundle();
        if (ModuleBundles.isModule(requirer)) {
          visit(requirer, visited, order);
        }
      }
    }
    order.addFirst(bundle);
  }

  @Override
  public ResolverHook begin(Collection<BundleRevision> triggers) {
    return new ResolverHook() {
      @Override
      public void filterResolvable(Collection<BundleRevision> resolvable) {}

      @Override
      public void filterSingletonCollisions(
          BundleCapability singleton, Collection<BundleCapability> collisions) {
        if (ModuleBundles.isModule(singleton.getRevision().getBundle())) {
          collisions.removeIf(other -> ModuleBundles.isModule(other.getRevision().getBundle()));
        }
      }

      @Override
      public void filterMatches(
          BundleRequirement requirement, Collection<BundleCapability> capabilities) {
        Bundle requirer = requirement.getRevision().getBundle();
        capabilities.removeIf(
            capability -> !mayServe(capability.getRevision().getBundle(), requirer));
      }

      @Override
      public void end() {}
    };
  }

  /** Whether a bundle may give another one what it needs, if it has it. */
  boolean mayServe(Bundle provider, Bundle requirer) {
    long from = provider.getBundleId();
    long to = requirer.getBundleId();
    if (from == to) {
      return true;
    }
    return candidates.contains(to)
        ? !formers.contains(from)
        : !candidates.contains(from) && (formers.contains(to) || !formers.contains(from));
  }
}

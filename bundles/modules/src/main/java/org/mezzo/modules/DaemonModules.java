package org.mezzo.modules;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;

/**
 * The modules of one daemon: everything that it leases goes through here. Safe for any thread.
 *
 * @param leases where modules come from
 * @param contexts the daemon as a module sees it, by kind and name
 */
public record DaemonModules(
    ModuleLeases leases, BiFunction<String, String, DaemonContext> contexts) {

  /**
   * A request for the module of that kind and name, on behalf of this daemon.
   *
   * @param events where replies arrive
   */
  public <M extends Module> LeaseRequest<M> request(Kind<M> kind, String name, Executor events) {
    return LeaseRequest.of(kind, name, contexts.apply(kind.name(), name), events);
  }

  /** Leases that module, for somebody who need not know who holds the lease. */
  public <M extends Module> ModuleLease<M> lease(Kind<M> kind, String name, Executor events) {
    return leases.lease(request(kind, name, events));
  }

  /** Notes that the daemon will lease that module sometime, though it does not now. */
  public ModuleLeases.Expectation expect(Kind<?> kind, String name) {
    return leases.expect(contexts.apply(kind.name(), name), kind.name(), name);
  }

  /** Leases those modules of a kind, to be called one after the other. */
  public <M extends Module> ModuleChain<M> chain(
      Kind<M> kind, List<String> names, Executor events) {
    return chain(kind, names, events, request -> request);
  }

  /**
   * The same with something added to each request; that it is heard by somebody else does not
   * count.
   */
  public <M extends Module> ModuleChain<M> chain(
      Kind<M> kind, List<String> names, Executor events, UnaryOperator<LeaseRequest<M>> additions) {
    return new ModuleChain<>(
        names,
        (name, opened) -> {
          boolean installed =
              leases.modules().stream()
                  .anyMatch(it -> it.kind().equals(kind.name()) && it.name().equals(name));
          if (!installed) {
            opened.complete(null);
          }
          LeaseRequest<M> request = additions.apply(request(kind, name, events));
          return leases.lease(request.heardBy(LeaseListener.acquired(() -> opened.complete(null))));
        });
  }
}

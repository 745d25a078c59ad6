package org.mezzo.modules;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
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

  /** Leases those modules of a kind, to be called one after the other. */
  public <M extends Module> ModuleChain<M> chain(
      Kind<M> kind, List<String> names, Executor events) {
    ModuleChain<M> chain = new ModuleChain<>(name -> lease(kind, name, events));
    chain.select(names);
    return chain;
  }
}

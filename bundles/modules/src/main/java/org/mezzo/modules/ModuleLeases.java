package org.mezzo.modules;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The one place where the core gets modules from, published as an OSGi service. Safe for any
 * thread.
 */
@ProviderType
public interface ModuleLeases {

  /**
   * Asks for a module of a kind by name. The lease exists at once and is vacant until such a module
   * is registered; it follows registrations, withdrawals and swaps until it is closed.
   */
  <M extends Module> ModuleLease<M> lease(LeaseRequest<M> request);

  /** Every registered module with what is known of it, by kind and name; a snapshot. */
  List<ModuleDescription> modules();

  /**
   * Takes every lease away from the modules of a bundle, moving it to another registered module of
   * the same kind and name where there is one, and from then on gives none to that bundle. Called
   * before a bundle is stopped.
   *
   * @return completes when the last call into the bundle has returned or the deadline has passed;
   *     calls that end beside a successor have the handover limit of their kind instead
   */
  CompletionStage<Void> drain(long bundleId, Duration deadline);

  /** Allows leases to the bundle again, after a drain that is taken back. */
  void readmit(long bundleId);

  /** Every open lease with who holds it, by daemon, kind and name; a snapshot. */
  List<LeaseDescription> leases();

  /**
   * The daemons that have an open lease for a module of that kind and name, or expect to have one,
   * each once; a snapshot.
   */
  List<DaemonContext> wanting(String kind, String name);

  /**
   * Notes that a daemon will lease a module sometime, as a master does that does not lead: a new
   * version has to rehearse for it beforehand.
   *
   * @param daemon as the module is to see it
   */
  Expectation expect(DaemonContext daemon, String kind, String name);

  /** That a daemon expects to lease a module; over when it is closed. */
  interface Expectation extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * From now on modules rehearse before they are opened, and for daemons that {@linkplain #expect
   * expect} to lease them, as far as these want it.
   */
  void rehearse(Rehearsals rehearsals);

  /** Decides which modules have to rehearse for a daemon before that opens them. */
  interface Rehearsals {
    /** None has to. */
    Rehearsals NONE = (bundleId, kind, name, daemon) -> {};

    /**
     * Has a module of a bundle rehearse, if it has to. Called by a thread for calls into modules,
     * of several leases at the same time, and may block for as long as a rehearsal takes; the
     * deadline for opening an instance covers it.
     *
     * @param daemon as the module is to see it
     * @throws Exception for why it may not be opened; it counts as a failure to open
     */
    void before(long bundleId, String kind, String name, DaemonContext daemon) throws Exception;
  }

  /** With what parameters modules work. */
  ModuleConfiguration configuration();

  /** Those that are quarantined; a snapshot. */
  List<ModuleDescription> quarantined();

  /**
   * Those that are quarantined, and those that say themselves that they are not well; a snapshot.
   */
  List<ModuleDescription> unhealthy();
}

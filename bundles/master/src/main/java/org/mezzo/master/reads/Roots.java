package org.mezzo.master.reads;

import java.lang.ref.WeakReference;
import java.util.Optional;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MasterInfo;

/**
 * Numbers the roots that readers come upon, across terms. A root never changes, so that it is told
 * from the one before by looking which object it is; the event loop counts nothing for it. Safe for
 * any thread.
 */
final class Roots {
  private final ClusterView cluster;
  private long number;

  /** The root of that number; held weakly, because the past of a term that is over is nobody's. */
  private WeakReference<MasterState> state = new WeakReference<>(null);

  private Optional<MasterInfo> leader = Optional.empty();

  /** Of the root of that number; empty until somebody asks. */
  private Optional<Accounts> accounts = Optional.empty();

  private long accountsOf;

  Roots(ClusterView cluster) {
    this.cluster = cluster;
  }

  /** The accounts of a root, which are found once while it is the latest that anybody asked of. */
  synchronized Accounts accounts(Root root) {
    if (accounts.isEmpty() || accountsOf != root.number()) {
      accounts = Optional.of(Accounts.of(root.state()));
      accountsOf = root.number();
    }
    return accounts.get();
  }

  /**
   * The root as it is now.
   *
   * @throws Refused with 503 when there is none yet (rule 12)
   */
  synchronized Root now() throws Refused {
    MasterState present =
        cluster.state().orElseThrow(() -> new Refused(503, "Master has not finished recovery"));
    Optional<MasterInfo> leading = cluster.leader();
    if (!state.refersTo(present) || !leader.equals(leading)) {
      number++;
      state = new WeakReference<>(present);
      leader = leading;
    }
    return new Root(number, present, leading);
  }
}

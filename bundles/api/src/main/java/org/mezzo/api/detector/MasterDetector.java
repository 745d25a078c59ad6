package org.mezzo.api.detector;

import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.api.Sink;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Says which master leads. Agents link to whom it names, masters that do not lead send clients
 * there. It grants nothing: who may lead is decided by the election and the epochs of the registry,
 * and a master that is named and does not lead refuses the agents that come.
 *
 * <p>Agents have the one of {@code --master_detector}, or else the one that fits {@code --master};
 * so have masters, by {@code --zk}, from their start to their end, whether they lead or not. A
 * module tells by {@link DaemonContext#role()} whom it serves.
 *
 * <p>What it says is taken when it can be: an id, an address or host name and a port from 1 to
 * 65535, all together no more than {@link #MOST_BYTES}. Anything else is passed over and counted
 * ({@code mezzo/leader_reports_ignored}), and the leader of before stays. So it does when the
 * detector fails, hangs or goes away: a link that works is kept, and one that breaks is made anew
 * to the same master. More than ten changes within ten seconds are followed late, the last one
 * alone.
 *
 * <p>Swap: the successor is opened while the instance before it reports, and what it has reported
 * in {@link #detect} counts when it has the lease. It is told nothing of the leader that was known:
 * that stays until its first report. When this names the same master (the same address, and the
 * same id where both have one), nothing is done at all: no link is closed.
 */
@ConsumerType
public interface MasterDetector extends Module {

  /** The value of {@code mezzo.module.kind} of master detectors. */
  String KIND = "master-detector";

  /** Bytes of the largest description of a master, in the binary form of protocol buffers. */
  int MOST_BYTES = 64 * 1024;

  /**
   * Told once, after {@link #open}, where to report the leader, as a level: the one there is as
   * soon as it is known, and each change. Empty says that nobody leads, for which agents give up
   * the link they have; who does not know, or not yet, reports nothing. Has 30 seconds to return,
   * and need not wait for anything: reports may come from any thread until {@link #close}. What is
   * thrown here refuses the lease.
   *
   * @param leaders takes the leader; {@code address} (or {@code hostname}) and {@code port} say
   *     where it is, {@code id} tells one master from the next at the same place and may be empty
   */
  void detect(Sink<Optional<MasterInfo>> leaders) throws Exception;
}

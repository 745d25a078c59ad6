package org.mezzo.api.anonymous;

import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Lives beside a daemon that asks nothing of it: sends numbers somewhere, registers the daemon with
 * somebody, watches the machine. What it does it does by itself, on threads of its own that it
 * starts in {@link #open} and ends in {@link #close}.
 *
 * <p>Masters and agents have those of {@code --anonymous_modules}, each an instance of its own, and
 * a module tells by {@link DaemonContext#role()} whom it serves; daemons of one process may be
 * several. An instance is opened once its daemon serves, or when the module comes later, and closed
 * when the daemon stops or another selection leaves it out. The daemon waits for neither: at its
 * end it may not answer any more. A standby master has them as well as the leading one.
 *
 * <p>Of its own work the daemon sees nothing: that fails is told by {@link #health} and metrics
 * alone, and never costs the lease. One that throws in {@link #open} or takes longer than 30
 * seconds is quarantined and tried again, and the daemon goes on without it.
 *
 * <p>Swap: the successor is opened while the one before works, and the one before is closed when
 * the successor has the lease. What only one can have at a time (a port, a lock) must be awaited by
 * the successor on a thread of its own, and not in {@link #open}, which would refuse it. It is told
 * nothing of the one before: what has to outlive an instance stands in a file below {@link
 * DaemonContext#workDir()}.
 */
@ConsumerType
public interface AnonymousModule extends Module {

  /** The value of {@code mezzo.module.kind} of anonymous modules. */
  String KIND = "anonymous";
}

package org.mezzo.api;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/** What a module may know of the daemon that leased it. Immutable and safe for any thread. */
@ProviderType
public interface DaemonContext {

  /** The two roles a daemon can have. */
  enum Role {
    MASTER,
    AGENT
  }

  /** The name of the daemon inside its process, for example {@code master} or {@code agent-2}. */
  String daemon();

  /** Which role the daemon has. */
  Role role();

  /** The daemon's work directory: survives restarts. Absolute. */
  Path workDir();

  /** The daemon's runtime directory: cleared by a reboot. Absolute. */
  Path runtimeDir();

  /**
   * Those flags of the daemon that the module declares ({@link MezzoModule#flags}) and that have a
   * value, in text form, by name without dashes.
   */
  Map<String, String> flags();

  /**
   * Parameters given to this module by {@code --modules}, and by operators while the daemon runs,
   * who have the last word; empty when none. Those that the instance was opened with: what changes
   * later is told to {@link Module#reconfigured}. They fit what the module describes by OSGi
   * Metatype, if it does; what is not given is not there, also where that describes a default.
   */
  Map<String, String> parameters();

  /**
   * Where the instance's numbers go; names are prefixed with {@code modules/<kind>/<name>/}. They
   * go with the instance, except those that its successor has made its own by registering them.
   */
  Metrics metrics();

  /**
   * The name of the logger that is the module's own, {@code modules.<kind>.<name>} with dots for
   * slashes, whatever its classes are called: {@code
   * LoggerFactory.getLogger(context.loggerName())}. Its level goes with the module's when operators
   * change that while it runs.
   */
  default String loggerName() {
    return "modules";
  }

  /** The clock to use instead of the system's, so that tests can drive time. */
  Clock clock();

  /**
   * Whether the instance only rehearses ({@link Module#rehearse}). The folders are empty ones of
   * its own then and go with it, numbers go nowhere, and nothing outside of them may be changed:
   * the real instance is at work meanwhile.
   */
  default boolean rehearsal() {
    return false;
  }
}

package org.mezzo.modules;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * With what parameters modules work. Each daemon gives its own to a module ({@code --modules});
 * what an operator sets for a module of a process stands above these, for all of its daemons. It is
 * kept nowhere here: who sets something brings it back after a restart. Safe for any thread.
 */
@ProviderType
public interface ModuleConfiguration {

  /**
   * What the module of that kind and name says of its parameters, the one that is preferred where
   * there are several; empty when it describes none, or there is none. Reads its bundle at first.
   */
  Optional<ParameterDescriptions> described(String kind, String name);

  /** What was set for a module; empty when nothing was. */
  Map<String, String> values(String kind, String name);

  /** Has instances that are opened from now on work with other values; none is told. */
  void restore(String kind, String name, Map<String, String> values);

  /**
   * All parameters that the module of a bundle gets for a daemon.
   *
   * @param given what the daemon gives it
   * @param values what is set besides, which need not hold now
   * @throws IllegalArgumentException for those that do not fit what it describes; the message is
   *     for people, names module, parameter and remedy, and no password
   */
  Map<String, String> parameters(
      long bundleId,
      String kind,
      String name,
      Map<String, String> given,
      Map<String, String> values);

  /**
   * Sets the values of a module, and has every instance work with them that holds a lease: where it
   * takes them while it runs it goes on, else another one is opened, which takes over from it. The
   * values stay set whatever comes of that; where a lease fails its holder stays as it was, and who
   * asked should set the former values again.
   *
   * @return what became of each lease for the module; completes on a thread of a lease or a daemon
   */
  CompletionStage<List<Changed>> change(String kind, String name, Map<String, String> values);

  /**
   * What became of the lease of a daemon.
   *
   * @param problem why it failed, for people; empty otherwise
   */
  record Changed(String daemon, Manner manner, String problem) {}

  /** How an instance came to other parameters. */
  enum Manner {
    /** It took them while it ran. */
    LIVE,
    /** Another one was opened with them, and took over. */
    RENEWED,
    /** It had them, or there is no instance. */
    NONE,
    /** It has not. */
    FAILED
  }
}

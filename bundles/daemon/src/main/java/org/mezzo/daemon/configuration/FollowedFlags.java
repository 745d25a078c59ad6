package org.mezzo.daemon.configuration;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The flags of a running daemon, of which it follows some when its configuration changes. A
 * configuration that cannot be read changes nothing. Belongs to whoever is told of configurations,
 * one at a time.
 *
 * @param <F> the flags of that kind of daemon
 */
public final class FollowedFlags<F> {
  private static final Logger LOG = LoggerFactory.getLogger(FollowedFlags.class);

  /** Reads the flags of one kind of daemon. */
  @FunctionalInterface
  public interface Reader<F> {
    /** From flags whose texts are what their types ask for. */
    F read(Flags flags) throws FlagException;
  }

  private final String daemon;
  private final FlagDefinitions definitions;
  private final Reader<F> reader;
  private final Map<String, Consumer<F>> followers = new LinkedHashMap<>();
  private Map<String, String> given;

  /**
   * Follows nothing yet.
   *
   * @param daemon as the log names it, for example {@code master 'master'}
   * @param given the texts with which it was started
   */
  public FollowedFlags(
      String daemon, FlagDefinitions definitions, Reader<F> reader, Map<String, String> given) {
    this.daemon = daemon;
    this.definitions = definitions;
    this.reader = reader;
    this.given = Map.copyOf(given);
  }

  /** Has a changed value of that flag followed. */
  public FollowedFlags<F> follow(String flag, Consumer<F> follower) {
    followers.put(flag, follower);
    return this;
  }

  /** Follows what has changed, and says what is not followed before a restart. */
  public void changed(Map<String, String> next) {
    F flags;
    try {
      flags = reader.read(definitions.parse(next));
    } catch (FlagException e) {
      LOG.error("The new configuration of {} is not used: {}", daemon, e.getMessage());
      return;
    }
    Set<String> names = new TreeSet<>(next.keySet());
    names.addAll(given.keySet());
    names.removeIf(flag -> Objects.equals(given.get(flag), next.get(flag)));
    Set<String> waiting = new TreeSet<>(names);
    waiting.removeAll(followers.keySet());
    for (Map.Entry<String, Consumer<F>> follower : followers.entrySet()) {
      String flag = follower.getKey();
      if (names.contains(flag)) {
        LOG.info("{} follows --{}={} from now on", daemon, flag, next.getOrDefault(flag, ""));
        follower.getValue().accept(flags);
      }
    }
    if (!waiting.isEmpty()) {
      LOG.warn("{} follows the new values of {} once it is restarted", daemon, waiting);
    }
    given = Map.copyOf(next);
  }
}

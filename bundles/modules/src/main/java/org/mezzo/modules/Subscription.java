package org.mezzo.modules;

import java.util.Objects;
import org.mezzo.api.Module;
import org.mezzo.api.Sink;

/**
 * What the instances of a lease report by themselves, and who handles it. Every instance is given a
 * {@link Sink} of its own before its takeover, and what it reports counts as {@link Sink} says.
 *
 * @param name in the logs, for example {@code limitations}
 * @param flavour which reports count
 * @param bound so many reports may wait; beyond it events are refused. 1 for levels
 * @param giving gives the sink to an instance, on a thread of the lease, as part of the takeover:
 *     an instance that throws there does not get the lease
 * @param handler handles reports, one at a time, on the events executor of the lease
 */
public record Subscription<M extends Module, T>(
    String name, Flavour flavour, int bound, Giving<M, T> giving, Handler<T> handler) {

  /** Which reports count. */
  public enum Flavour {
    /** Each, in order. */
    EVENTS,
    /** The newest of whoever holds the lease. */
    LEVEL
  }

  /** Gives a sink to an instance. */
  @FunctionalInterface
  public interface Giving<M, T> {
    void give(M module, Sink<T> sink) throws Exception;
  }

  /** Handles what was reported. */
  @FunctionalInterface
  public interface Handler<T> {
    /**
     * Handles a report, which is acknowledged by returning. When it throws, the report comes again
     * a second later, and events behind it wait; the tenth time it is dropped. It may come from an
     * instance that holds the lease no longer, if it is an event, and may be a repetition of what
     * another instance has reported.
     *
     * @param epoch of the instance that has reported it
     */
    void handle(T report, long epoch);
  }

  public Subscription {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(giving, "giving");
    Objects.requireNonNull(handler, "handler");
    if (bound < 1) {
      throw new IllegalArgumentException(
          "at least 1 report of '" + name + "' must be able to wait, not " + bound);
    }
  }

  /** To events, of which so many may wait. */
  public static <M extends Module, T> Subscription<M, T> events(
      String name, int bound, Giving<M, T> giving, Handler<T> handler) {
    return new Subscription<>(name, Flavour.EVENTS, bound, giving, handler);
  }

  /** To a level. */
  public static <M extends Module, T> Subscription<M, T> level(
      String name, Giving<M, T> giving, Handler<T> handler) {
    return new Subscription<>(name, Flavour.LEVEL, 1, giving, handler);
  }
}

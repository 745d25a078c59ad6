package org.mezzo.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Where one instance of a module reports to its daemon, by itself and whenever it has something to
 * say. The interface of a kind has a method through which each instance is given a sink of its own,
 * after {@link Module#open} and before it is told or asked anything else; the kind says which of
 * two flavours it is:
 *
 * <ul>
 *   <li><b>Events</b>, for example limits that containers have reached: each counts. They wait in a
 *       bounded queue, in the order in which they were reported, until the daemon has handled them.
 *       What was taken is handled also when the instance is replaced or gone by then, and repeated
 *       when the daemon fails at it, every second up to ten times.
 *   <li><b>Levels</b>, for example an estimate: only the newest counts. One that was not handled
 *       yet gives way to the next, so that there is always room. A level is that of the instance
 *       which has reported it, and goes with it: whoever takes over reports its own.
 * </ul>
 *
 * <p>Threading: safe for any thread of the module, inside and outside of calls; never waits, and
 * never runs code of the daemon that could. What is reported before a call of a serial kind returns
 * is handled before the daemon learns that the call has returned, unless the daemon fails at it.
 *
 * <p>A sink is good for the instance that it was given to. What an instance reports before it holds
 * its lease, which includes all of a kind's {@code recover}, counts from when it does, and not at
 * all when it never does. From the moment that the instance is replaced, quarantined or withdrawn,
 * or was given up because it hangs, its sink takes nothing; one whose calls end beside a successor
 * may report events until they have.
 *
 * <p>A daemon that is restarted knows nothing of what was reported to it. Whatever a kind says is
 * to be reported, an instance reports again in {@code recover} as far as it holds still and it
 * cannot tell whether an instance before it has reported it; daemons take a repetition for what it
 * is.
 *
 * @param <T> what is reported; data of the SPI, immutable
 */
@ProviderType
public interface Sink<T> {

  /** What became of a report. */
  enum Receipt {
    /** The daemon has it; nothing more is to be done. */
    TAKEN,
    /**
     * Too many events wait to be handled; the daemon does not have this one, and counts that. It
     * can be reported again a while later.
     */
    FULL,
    /** The instance speaks for nobody any more. Reporting again is of no use. */
    RETIRED
  }

  /**
   * Reports something.
   *
   * @param report never null
   * @return what became of it; whoever drops anything but {@link Receipt#TAKEN} loses the report
   */
  Receipt report(T report);
}

package org.mezzo.api;

import java.util.Map;
import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * What every module kind extends. An instance serves exactly one daemon, from {@link #open} to
 * {@link #close}; what is said here holds for all kinds unless a kind says otherwise.
 *
 * <p><b>Which thread calls.</b> All methods of one instance, these included but for {@link
 * #health}, are called one at a time, in the order in which the daemon asked, on threads that have
 * no context class loader; not always on the same. It is never the daemon's event loop. A few kinds
 * take several calls at a time and say so.
 *
 * <p><b>What may block.</b> Every call, within the deadline that its kind documents; 30 seconds for
 * creation and {@link #open} together, 10 seconds for {@link #close}. The daemon does not wait: it
 * goes on, and the result reaches it as an event. Calls that pile up meanwhile wait in a bounded
 * mailbox, and are refused beyond its bound.
 *
 * <p><b>What happens when a call throws.</b> It is logged and counted, and the daemon acts as the
 * kind documents for a call without a result. A checked exception is an answer like any other.
 * Unchecked ones, and null, are defects: after 5 calls in a row that failed so, of a kind that
 * takes several calls at a time when half of the last 20 within a minute did, the instance is
 * quarantined: it loses its lease and is closed. The next module of that kind and name takes over;
 * where there is none, the same one gets another chance with a fresh instance after 1 second,
 * doubling to 60.
 *
 * <p><b>What happens when a call is slow.</b> Past its deadline the call is interrupted and its
 * thread given up; the stack of the stuck thread is in the log. If it ever returns, its result is
 * dropped. Work that it has handed on to threads of its own learns of that, and of calls that
 * nobody waits for any more, by {@link CallContext}. The instance is quarantined as above, with the
 * stack in its description; one that takes several calls at a time goes on with the others, and the
 * late call counts as a failed one. When 16 threads of a process are stuck so, modules that failed
 * are not tried again.
 *
 * <p><b>What happens when the module goes away</b> (its bundle is stopped, updated, swapped). A
 * swap opens an instance of the new version while the old one still holds. New calls then wait
 * until those that have begun in the old instance have ended, and go to the new one; where several
 * calls are taken at a time, new ones go to the new instance at once and begun ones end in the old
 * one beside it. Then the old one is closed. Without a successor the daemon goes on as the kind
 * documents for its absence.
 *
 * <p><b>What it is told when it (re)appears.</b> Nothing of what an earlier instance knew: each
 * kind documents how a fresh instance gets the state it needs before it is asked anything.
 *
 * <p><b>How it speaks unasked.</b> By a {@link Sink}, where its kind has one. Nothing that an
 * instance was given works for it any more once it lost its lease.
 */
@ConsumerType
public interface Module {

  /**
   * Called once, before anything else. Throwing refuses the lease, which stays where it is or goes
   * to another module of the same kind and name.
   *
   * @param context the daemon this instance serves from now on; never null
   */
  default void open(DaemonContext context) throws Exception {}

  /**
   * Called once after the last call when the lease ends, also after quarantine for throwing; not
   * after a hang and not when {@link #open} threw. Threads and files of the instance end here.
   */
  default void close() throws Exception {}

  /**
   * Asked of an instance that was opened with {@link DaemonContext#rehearsal()}, and nothing else
   * but {@link #close} afterwards: no state is handed over and no real call comes. A version that
   * is to take over rehearses so for each daemon that wants it before it serves anybody, within 10
   * seconds for all three; when anything of it throws or does not return, the version is refused
   * and the old one goes on. Here is the place to find out that something is missing.
   */
  default void rehearse() throws Exception {}

  /**
   * An operator has given the module other parameters. An instance that can go on with them does,
   * and says so; another one is opened with them otherwise, which takes over as in a swap. Called
   * like any call, in its order, within the deadline of the kind; not before the instance has its
   * lease. {@link DaemonContext#parameters} of its context stay what they were.
   *
   * <p>By throwing, whatever it is, it refuses the parameters: the operator gets the message and
   * the former parameters stay. Nothing may have changed in the instance then, so look at all of
   * them first. It counts as no failure. Where another daemon of the process cannot work with them,
   * it is called once more, with those before. New in {@code org.mezzo.api} 1.1.
   *
   * @param parameters all of them from now on, not only those that are others; they fit what the
   *     module describes by OSGi Metatype, if it does
   * @return whether the instance works with them from now on; false, as by default, has another one
   *     opened, and nothing may have changed in this one
   */
  default boolean reconfigured(Map<String, String> parameters) throws Exception {
    return false;
  }

  /**
   * How the instance is. Asked once it has its lease, and again 10 seconds after each answer,
   * beside other calls and not in their order: it must be safe for any thread and answer at once,
   * from what it knows. Past 5 seconds, and when the instance has to go, it is interrupted; {@link
   * #close} comes after it. What it throws, null and no answer in time are taken for an illness,
   * but never cost a lease. An ill instance is shown to operators ({@code /mezzo/modules}, the
   * metric {@code unhealthy}), speaks against a new version while that is on trial, and stops a
   * rollout.
   *
   * @return what is wrong, for people, in one line; empty when all is well
   */
  default Optional<String> health() {
    return Optional.empty();
  }
}

package org.mezzo.agent.checks;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import org.mezzo.daemon.loop.EventLoop.Timer;

/**
 * What the checks of all tasks of an agent share.
 *
 * @param prober tries what the checks say
 * @param loop the event loop, on which everything is told
 * @param timers run something on the loop after a while
 * @param nanoTime a clock that only goes forward, as {@link System#nanoTime}
 */
public record CheckHost(
    Prober prober,
    Executor loop,
    BiFunction<Duration, Runnable, Timer> timers,
    LongSupplier nanoTime) {}

package org.mezzo.modules;

import java.util.concurrent.Executor;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;

/**
 * Who wants which module.
 *
 * @param type the SPI interface of the kind
 * @param kind the kind's name, for example {@code allocator}
 * @param name the module's name as selected by a flag
 * @param context handed to the instance
 * @param concurrency how many calls may run at a time: 1 except for kinds that say otherwise
 * @param events where listener and replies are called: the daemon's event loop
 * @param listener told of every change of the holder
 */
public record LeaseRequest<M extends Module>(
    Class<M> type,
    String kind,
    String name,
    DaemonContext context,
    int concurrency,
    Executor events,
    LeaseListener listener) {}

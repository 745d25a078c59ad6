package org.mezzo.agent.endpoints;

import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.function.Supplier;
import org.mezzo.agent.draining.Draining.Drain;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.resources.Resources;

/**
 * What an agent tells of itself. Its suppliers are safe for any thread.
 *
 * @param info as registered; without id before that
 * @param total everything that it offers: as operations made it, with what is lent
 * @param drain the drain under way
 * @param pid as v0 writes an agent's address: {@code slave(1)@1.2.3.4:5051}
 * @param startTime seconds since the epoch
 * @param leader where the master is that it follows
 */
public record AgentDescription(
    Supplier<AgentInfo> info,
    Supplier<Resources> total,
    Supplier<Optional<Drain>> drain,
    String pid,
    double startTime,
    Supplier<Optional<InetSocketAddress>> leader) {}

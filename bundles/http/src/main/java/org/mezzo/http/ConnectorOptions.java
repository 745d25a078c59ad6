package org.mezzo.http;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * How to listen.
 *
 * @param name for thread names and metrics, for example {@code master}
 * @param address what to bind to
 * @param port 0 picks a free one
 * @param tls present: only TLS is spoken
 * @param maxThreads bound of the connector's thread pool
 * @param idleTimeout of connections on which nothing is under way
 */
public record ConnectorOptions(
    String name,
    InetAddress address,
    int port,
    Optional<SSLContext> tls,
    int maxThreads,
    Duration idleTimeout) {}

/**
 * Checks over the network, many at a time on one thread: each is a connection without a thread or a
 * process of its own.
 */
package org.mezzo.agent.checks.probes;

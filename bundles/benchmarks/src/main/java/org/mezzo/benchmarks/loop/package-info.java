/**
 * The measure of the master's event loop: a whole master in process, with emulated agents and
 * frameworks instead of a network.
 */
package org.mezzo.benchmarks.loop;

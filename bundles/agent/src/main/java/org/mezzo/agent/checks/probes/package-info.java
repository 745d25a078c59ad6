/**
 * Checks over the network: the agent's side of checkers. Says how many looks are under way, in
 * which network a task is, and makes the connections that a checker asks for there.
 */
package org.mezzo.agent.checks.probes;

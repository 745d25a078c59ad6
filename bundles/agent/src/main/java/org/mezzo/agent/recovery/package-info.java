/**
 * What outlives an agent's process: the journal of frameworks, executors, tasks and updates that
 * are not acknowledged, below {@code meta/journal} in the work directory (rules 170 to 178; the
 * form is Mezzo's own). What of it a new process is and takes over: its identity, the containers,
 * and which of them still fit.
 */
package org.mezzo.agent.recovery;

/**
 * The agent daemon: registers with the leading master, runs command tasks in containers, acting as
 * their command executor, and reports what becomes of them.
 *
 * <h2>Files below the work directory</h2>
 *
 * <ul>
 *   <li>{@code meta/agent/agent.info}: the agent as it was registered, with its id. A start with
 *       properties that {@code --reconfiguration_policy} does not allow is one of a new agent.
 *   <li>{@code slaves/<agent>/frameworks/<framework>/executors/<task>/runs/<container>}: sandboxes,
 *       with {@code runs/latest} pointing to the last one.
 * </ul>
 *
 * <p>Running tasks are not recovered: an agent that stops in order kills them within {@code
 * --executor_shutdown_grace_period}, one that starts after a crash kills what it finds, and the
 * master learns from the registration which of its tasks are gone.
 */
package org.mezzo.agent;

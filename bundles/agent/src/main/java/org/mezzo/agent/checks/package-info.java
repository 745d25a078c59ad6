/**
 * Checks and health checks of tasks (rules 228 to 238): when a task is looked at, what is told of
 * it, and when it has to end. Knows nothing of how tasks are kept: whoever runs one makes its
 * {@link org.mezzo.agent.checks.TaskChecks}, starts and stops them, and is told what comes of it.
 *
 * <pre>
 *   TaskChecks ─► Cycle (one for each check)  ─► Prober  ─ COMMAND ───► Subject, who runs the task
 *       │           delay, interval, pause          │
 *       ▼                                           └─ HTTP, TCP ─► probes.NetworkProbes ─► checkers
 *   Listener                                                              connections  ◄─┘ (modules)
 *                                                                         └─ own network ─► NetworkRelay
 * </pre>
 */
package org.mezzo.agent.checks;

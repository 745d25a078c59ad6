package org.mezzo.agent.sandboxes;

import java.time.Duration;

/**
 * How long sandboxes of the past stay (rules 335 and 336).
 *
 * @param delay {@code --gc_delay}
 * @param headroom {@code --gc_disk_headroom}, from 0 to 1
 * @param period {@code --disk_watch_interval}
 * @param others {@code --gc_non_executor_container_sandboxes}: whether those of nested and
 *     standalone containers are deleted, too (rule 338)
 */
public record SandboxRetention(Duration delay, double headroom, Duration period, boolean others) {}

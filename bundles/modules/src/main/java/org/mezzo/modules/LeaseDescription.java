package org.mezzo.modules;

import java.time.Duration;
import java.util.Optional;

/**
 * What is known of one open lease.
 *
 * @param daemon the daemon that asked for it
 * @param name the module's name as selected now
 * @param epoch of the present holder; 0 while vacant
 * @param backlog calls that wait
 * @param gap how long nobody held the lease before the present holder, who is not the first; zero
 *     when it was handed over
 * @param busy for how long the call that runs has been running; zero when none does, and where
 *     several may run at a time
 * @param throwsInARow calls of the present holder that threw something unchecked or did not return
 *     in time since the last one that did neither
 * @param failure the last of these calls and what became of it, in one line for people; empty where
 *     there has been none
 * @param holder who holds it; empty while vacant
 */
public record LeaseDescription(
    String daemon,
    String kind,
    String name,
    long epoch,
    int backlog,
    Duration gap,
    Duration busy,
    int throwsInARow,
    String failure,
    Optional<ModuleDescription> holder) {}

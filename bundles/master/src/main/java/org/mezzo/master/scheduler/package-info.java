/**
 * The scheduler API of the master: a class per call, listed in {@link
 * org.mezzo.master.scheduler.SchedulerCalls}.
 */
package org.mezzo.master.scheduler;

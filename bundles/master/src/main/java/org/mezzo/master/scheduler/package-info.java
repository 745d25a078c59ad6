/** The border of the scheduler API: checks, streams and the way to the event loop. */
package org.mezzo.master.scheduler;

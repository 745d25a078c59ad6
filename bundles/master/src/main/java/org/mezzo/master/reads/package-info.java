/**
 * What can be read of a leading master: the reading calls and the event stream of the operator API,
 * and the JSON endpoints of old.
 *
 * <p>Everything here is made from a published {@link org.mezzo.master.state.MasterState} on threads
 * of the readers; the event loop does not notice how many there are. {@link
 * org.mezzo.master.reads.Reads} puts it together.
 */
package org.mezzo.master.reads;

/**
 * What can be read of a leading master, and by whom: {@link org.mezzo.master.reads.StateReader}
 * hands out the published {@link org.mezzo.master.state.MasterState} together with what the reader
 * may see of it. The operator API and the JSON endpoints are made from both, on threads of the
 * readers; the event loop does not notice how many there are. Endpoints that are polled answer
 * through {@link org.mezzo.master.reads.StateAnswers}, so that many readers cost little more than
 * one.
 */
package org.mezzo.master.reads;

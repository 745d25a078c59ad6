/**
 * The operator API of the master: a class per call, listed in {@link
 * org.mezzo.master.operator.OperatorCalls}, and the event stream.
 */
package org.mezzo.master.operator;

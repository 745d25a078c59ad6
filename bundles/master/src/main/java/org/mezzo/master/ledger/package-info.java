/**
 * Who holds what on which agent, and what frameworks refused of it: the one place where amounts are
 * kept. What is free is never counted, but derived.
 */
package org.mezzo.master.ledger;

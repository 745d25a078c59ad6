/**
 * Operations on resources: what each needs, what it may be asked about, what is wrong with it. They
 * are the same whether a framework does them with an offer or an operator by a call. Stateless;
 * carried out by transitions.
 */
package org.mezzo.master.operations;

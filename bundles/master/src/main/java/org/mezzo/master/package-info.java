/**
 * The master daemon: a bundle without exported packages, started by configurations of the factory
 * PID {@code org.mezzo.master}.
 *
 * <p>The parts, each a package:
 *
 * <ul>
 *   <li>{@code state}: the immutable records of everything a leading master knows, {@link
 *       org.mezzo.master.state.MasterState} being the root. Readers get it from a {@link
 *       org.mezzo.master.state.ClusterView} and need no lock; {@link
 *       org.mezzo.master.state.ClusterView#follow} tells of each later root together with what
 *       happened, which is what the operator event stream is made of.
 *   <li>{@code transitions}: functions from a state and an event to a state and effects: {@code
 *       Transition} collects both; the loop publishes the state, then has the effects executed.
 *   <li>{@code scheduler}: the scheduler API, a class per call, listed in {@code SchedulerCalls}.
 *   <li>{@code operator}: the operator API, a class per call, listed in {@code OperatorCalls}.
 *   <li>{@code endpoints}: the JSON endpoints, a class each, listed in {@code MasterEndpoints}.
 *   <li>{@code agents}: the border of the agent link.
 *   <li>{@code allocation}: keeps the leased allocator in step with the ledger and turns proposals
 *       into offers.
 *   <li>{@code election}: who leads; a {@code MasterTerm} lives from election to loss.
 *   <li>{@code reads}: what can be read of a leading master and by whom, from published roots only.
 * </ul>
 *
 * <p>{@link org.mezzo.master.MasterDaemon} owns connector, router, metrics, event loop and leases.
 * Routes are added there, before the connector opens.
 */
package org.mezzo.master;

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
 *   <li>{@code policy}: how operators change weights and quotas.
 *   <li>{@code constraints}: the constraints of frameworks on the agents whose offers they want.
 *   <li>{@code operator} and {@code endpoints}: the calls of the operator API and the JSON
 *       endpoints, a class each.
 *   <li>{@code reads}: what those show, made from published roots only.
 * </ul>
 *
 * <p>{@link org.mezzo.master.MasterDaemon} makes a {@link org.mezzo.master.Master} for each
 * configuration, in a {@link org.mezzo.daemon.DaemonFrame}, which owns connector, router, metrics
 * and event loop. The master adds its routes in its constructor; the connector is open by then and
 * answers 503 until {@link org.mezzo.master.Master#start}. {@link org.mezzo.master.MasterFlags} are
 * read before all that.
 */
package org.mezzo.master;

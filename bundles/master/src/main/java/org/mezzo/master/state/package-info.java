/**
 * What the leading master knows, as immutable records in persistent collections.
 *
 * <p>One {@link org.mezzo.master.state.MasterState} is the root. Only the daemon's event loop makes
 * and publishes a new one; anybody may take the published root from a {@link
 * org.mezzo.master.state.ClusterView} and walk it on a thread of its own for as long as it likes.
 * Messages of the protocol stand where data comes from or goes to the border unchanged; amounts
 * that are reckoned with are {@link org.mezzo.resources.Resources}.
 */
package org.mezzo.master.state;

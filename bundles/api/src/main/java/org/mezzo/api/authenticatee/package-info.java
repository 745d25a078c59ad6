/**
 * The authenticatee kind: says what an agent shows its master to be let in.
 *
 * <p>Handover: questions that were not begun go to the successor. The link that is there stays: the
 * successor is asked before the next one.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.authenticatee;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

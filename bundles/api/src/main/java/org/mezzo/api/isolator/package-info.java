/**
 * The isolator kind: limits and describes one aspect of the containers of an agent.
 *
 * <p>Handover: new calls are held, the ones that have begun end in the old instance, the successor
 * gets {@link Isolator#limitations} and {@link Isolator#recover} with every container that is
 * prepared or runs, and then the held calls. When it cannot recover, the old instance gets them.
 * What was set up in the kernel stays as it is.
 */
@Version("0.3.0")
@Export
package org.mezzo.api.isolator;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

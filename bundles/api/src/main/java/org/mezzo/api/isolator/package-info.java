/**
 * The isolator kind: limits and describes one aspect of the containers of an agent.
 *
 * <p>Handover: the successor gets {@link Isolator#limitations} and {@link Isolator#recover} with
 * the containers that run then; what the old instance set up in the kernel stays as it is. A launch
 * that the old instance was working on fails.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.isolator;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

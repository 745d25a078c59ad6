/**
 * The hook kind: decorates messages on their way through master and agent.
 *
 * <p>Handover: none but the lease's. A message that the old instance was looking at passes without
 * it; later ones meet the successor.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.hook;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Brings the module bundles of a host to what the cluster wants there. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.wanted;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** The endpoints that master and agent have in common. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.endpoints;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** The isolator kind: limits and describes one aspect of the containers of an agent. */
@Version("0.1.0")
@Export
package org.mezzo.api.isolator;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

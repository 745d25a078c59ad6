/** How much a process logs, changed for a while. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.logging;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

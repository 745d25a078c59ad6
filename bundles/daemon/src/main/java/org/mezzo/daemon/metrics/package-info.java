/** The numbers of a daemon and of its machine. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.metrics;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

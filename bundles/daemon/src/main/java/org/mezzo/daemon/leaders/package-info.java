/** Who the leading master is, as a module says it. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.leaders;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

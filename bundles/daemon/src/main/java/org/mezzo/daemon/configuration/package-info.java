/** Flags as configurations of OSGi, and the parameters of modules. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.configuration;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Leases of modules that are plain objects of this process: for tests and for embedding. */
@Version("0.1.0")
@Export
package org.mezzo.modules.local;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Election, detection and the fenced registry, on ZooKeeper or in a private store. */
@Version("0.1.0")
@Export
package org.mezzo.coordination;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

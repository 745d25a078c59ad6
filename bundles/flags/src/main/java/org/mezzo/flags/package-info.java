/** Flag definitions as data, and their parsed values; usable without OSGi. */
@Version("0.1.0")
@Export
package org.mezzo.flags;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Writing the JSON of v0 endpoints: numbers, and the shapes that master and agent share. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.json;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Jars that somebody names, wherever they are. */
@Version("0.1.0")
@Export
package org.mezzo.files.jars;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Files that a daemon shows under virtual paths. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.files;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** What a process keeps on disk so that a later one finds it, however this one ends. */
@Version("0.1.0")
@Export
package org.mezzo.files.log;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

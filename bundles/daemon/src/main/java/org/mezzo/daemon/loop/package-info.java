/** The threads of a daemon: the one that owns its state, and the pools that work for it. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.loop;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

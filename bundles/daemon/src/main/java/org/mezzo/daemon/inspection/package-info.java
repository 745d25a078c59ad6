/** What a person in the shell sees of the daemons of a process. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.inspection;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

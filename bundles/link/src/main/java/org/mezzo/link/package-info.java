/** The link between an agent and the leading master. */
@Version("0.1.0")
@Export
package org.mezzo.link;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

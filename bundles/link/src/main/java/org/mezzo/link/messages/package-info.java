/** The messages of the agent link, generated from link.proto. */
@Version("0.1.0")
@Export
package org.mezzo.link.messages;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** The authorization kind: tells whether a principal may do what it asks. */
@Version("0.1.0")
@Export
package org.mezzo.api.authorization;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

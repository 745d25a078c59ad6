/** The border of v1 calls: checks, parsing, content negotiation, and event streams. */
@Version("0.1.0")
@Export
package org.mezzo.daemon.calls;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

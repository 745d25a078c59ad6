/** The HTTP authentication kind: tells which principal sent a request. */
@Version("0.1.0")
@Export
package org.mezzo.api.authentication;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

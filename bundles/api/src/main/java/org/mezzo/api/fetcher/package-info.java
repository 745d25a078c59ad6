/** The fetcher kind: brings the URIs of a command into the sandbox. */
@Version("0.1.0")
@Export
package org.mezzo.api.fetcher;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

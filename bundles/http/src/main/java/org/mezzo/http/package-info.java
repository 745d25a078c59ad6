/** Connectors, exchanges and streams, on Jetty, which nothing else imports. */
@Version("0.1.0")
@Export
package org.mezzo.http;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

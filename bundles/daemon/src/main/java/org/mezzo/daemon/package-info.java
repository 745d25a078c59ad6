/**
 * What master and agent share: event loop, metrics, routes, authentication at the border, files.
 */
@Version("0.1.0")
@Export
package org.mezzo.daemon;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Immutable resource arithmetic (rules 272-304). Every type here is safe for any thread. */
@Version("1.0.0")
@Export
package org.mezzo.resources;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Stand-ins for what a daemon gives to modules, for tests of modules. */
@Version("0.2.0")
@Export
package org.mezzo.testing;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

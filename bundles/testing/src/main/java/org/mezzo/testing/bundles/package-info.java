/** Module bundles made while a test runs, for tests of what happens when they come and go. */
@Version("0.1.0")
@Export
package org.mezzo.testing.bundles;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

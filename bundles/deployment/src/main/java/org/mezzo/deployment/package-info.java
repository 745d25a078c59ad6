/** The one owner of installing, swapping and removing module bundles, and its ledger. */
@Version("0.2.0")
@Export
package org.mezzo.deployment;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

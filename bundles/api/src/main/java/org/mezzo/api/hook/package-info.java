/** The hook kind: decorates messages on their way through master and agent. */
@Version("0.1.0")
@Export
package org.mezzo.api.hook;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

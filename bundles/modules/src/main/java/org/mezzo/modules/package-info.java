/** How the core holds modules: leases, mailboxes, deadlines, quarantine and draining. */
@Version("0.3.0")
@Export
package org.mezzo.modules;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/**
 * The anonymous kind: lives beside a daemon.
 *
 * <p>Handover: none. The successor is opened while the instance before it still works, and that one
 * is closed once the successor has the lease: for a moment there are two, and never none.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.anonymous;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/**
 * The fetcher kind: brings the URIs of a command into the sandbox.
 *
 * <p>Handover: the successor serves fetches that begin from then on; those that run in the old
 * instance end there within 60 seconds, and are begun anew with the successor where they do not.
 */
@Version("1.1.0")
@Export
package org.mezzo.api.fetcher;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

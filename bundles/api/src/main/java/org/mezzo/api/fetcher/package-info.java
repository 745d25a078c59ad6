/**
 * The fetcher kind: brings the URIs of a command into the sandbox.
 *
 * <p>Handover: the successor serves fetches that begin from then on; one that runs in the old
 * instance at that moment is tried once more with the successor.
 */
@Version("0.2.0")
@Export
package org.mezzo.api.fetcher;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

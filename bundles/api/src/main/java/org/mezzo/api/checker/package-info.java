/**
 * The checker kind: tries whether tasks answer, for their checks and health checks over the
 * network.
 *
 * <p>Handover: new looks go to the successor at once, those that were begun end beside it; one that
 * does not within 10 seconds is made anew by the successor, with the whole of its time.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.checker;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

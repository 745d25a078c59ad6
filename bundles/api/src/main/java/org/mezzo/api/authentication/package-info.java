/**
 * The HTTP authentication kind: tells which principal sent a request.
 *
 * <p>Handover: the successor is opened first and answers from then on. A request that the old
 * instance was looking at is refused; with no instance at all every request is, where a flag
 * demands authentication.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.authentication;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/**
 * The authorization kind: tells whether a principal may do what it asks.
 *
 * <p>Handover: the successor is opened first and answers from then on. A request that the old
 * instance was looking at is refused; with no instance at all every request is.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.authorization;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

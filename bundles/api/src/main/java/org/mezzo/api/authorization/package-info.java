/**
 * The authorization kind: tells whether a principal may do what it asks.
 *
 * <p>Handover: the successor is opened first and answers from then on; requests that the old
 * instance is looking at get its answer. Where there is no successor, with no instance at all every
 * request is refused.
 */
@Version("0.2.0")
@Export
package org.mezzo.api.authorization;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

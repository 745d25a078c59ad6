/**
 * The authorization kind: tells whether a principal may do what it asks.
 *
 * <p>An authorizer is asked once for each request of a client, and gives an approver, which is then
 * asked about every object of that request.
 *
 * <p>Handover: the successor is opened first and gives the approvers from then on. Requests that
 * have an approver of the old instance, or wait for one, are decided by it; the old instance is
 * closed when they have ended, or after ten seconds, when its approvers approve nothing any more.
 * Where there is no successor, with no instance at all every request is refused.
 */
@Version("0.6.0")
@Export
package org.mezzo.api.authorization;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

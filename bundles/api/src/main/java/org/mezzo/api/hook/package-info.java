/**
 * The hook kind: decorates messages on their way through master and agent.
 *
 * <p>Handover: messages wait while the one that the old instance is looking at is finished, and
 * meet the successor then; none passes without a hook because of a swap.
 */
@Version("1.1.0")
@Export
package org.mezzo.api.hook;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

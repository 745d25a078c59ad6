/**
 * The QoS controller kind: says which executors on lent resources have to go.
 *
 * <p>Handover: the question that was put to the old instance is answered by it, the next one goes
 * to the successor, at once.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.qos;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

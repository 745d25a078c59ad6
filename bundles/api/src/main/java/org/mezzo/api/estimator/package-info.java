/**
 * The resource estimator kind: says what an agent can lend.
 *
 * <p>Handover: the question that was put to the old instance is answered by it, the next one goes
 * to the successor, at once. What was lent stays until then.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.estimator;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/**
 * The secret generator kind: makes the secrets by which executors are known to their agent.
 *
 * <p>Handover: new questions go to the successor at once, those that were begun end beside it.
 * Executors keep the secrets that they have.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.generator;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

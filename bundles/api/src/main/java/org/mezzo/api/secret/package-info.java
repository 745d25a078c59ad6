/**
 * The secret resolver kind: says what a secret is that a task only names.
 *
 * <p>Handover: new questions go to the successor at once, those that were begun end beside it.
 */
@Version("1.1.0")
@Export
package org.mezzo.api.secret;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

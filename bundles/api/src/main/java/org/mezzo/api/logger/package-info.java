/**
 * The container logger kind: says where the output of containers goes.
 *
 * <p>Handover: what was said of a container is carried out by its shim, not by the module, so there
 * is nothing to hand over. Calls that have begun end beside the successor.
 */
@Version("0.2.0")
@Export
package org.mezzo.api.logger;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

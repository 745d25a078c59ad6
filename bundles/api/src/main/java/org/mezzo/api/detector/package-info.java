/**
 * The master detector kind: says which master leads.
 *
 * <p>Handover: none. The successor is opened beside the instance before it; the last known leader
 * stays until the successor reports one.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.detector;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/**
 * The master contender kind: stands for election on behalf of a master.
 *
 * <p>Handover: none. The successor enters the election before the instance before it leaves; a term
 * goes on when the successor leads then.
 */
@Version("0.1.0")
@Export
package org.mezzo.api.contender;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

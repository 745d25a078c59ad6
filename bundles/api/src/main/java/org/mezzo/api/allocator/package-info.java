/** The allocator kind: decides which framework is offered which agent's resources. */
@Version("1.2.0")
@Export
package org.mezzo.api.allocator;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

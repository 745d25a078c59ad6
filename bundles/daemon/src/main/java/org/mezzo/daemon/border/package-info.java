/**
 * What a request meets before anything of the daemon sees it: routes, authentication,
 * authorization, and the declarations of what each call and endpoint needs leave for.
 */
@Version("0.1.0")
@Export
package org.mezzo.daemon.border;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

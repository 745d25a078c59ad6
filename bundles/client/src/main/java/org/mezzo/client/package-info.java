/**
 * Clients of the scheduler, executor, operator and files APIs, and the runner of single commands.
 * All are safe for any thread; listeners are called one at a time.
 */
@Version("0.1.0")
@Export
package org.mezzo.client;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

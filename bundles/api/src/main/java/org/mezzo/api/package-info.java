/**
 * What every kind of module has in common: how it is announced, created and told about its daemon.
 */
@Version("1.1.0")
@Export
package org.mezzo.api;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

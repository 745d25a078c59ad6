/**
 * Files where somebody else may be at work: trees in which tasks write, opened and deleted without
 * ever leaving them, and folders that must belong to nobody but this process's user.
 */
@Version("0.1.0")
@Export
package org.mezzo.files;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

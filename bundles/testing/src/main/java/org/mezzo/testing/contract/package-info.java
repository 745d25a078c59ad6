/**
 * Contract kits: for each kind of module a JUnit class that checks its rules. Extend one, hand it
 * your module, and it runs with your other tests.
 */
@Version("0.1.0")
@Export
package org.mezzo.testing.contract;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

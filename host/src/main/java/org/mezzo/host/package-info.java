/**
 * Boots an OSGi framework from a folder of bundles. It knows bundles, start levels, configuration
 * and the process, and has never heard of a cluster.
 */
package org.mezzo.host;

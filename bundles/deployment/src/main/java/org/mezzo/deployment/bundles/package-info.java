/** How jars become running bundles and how one version takes over from another. */
package org.mezzo.deployment.bundles;

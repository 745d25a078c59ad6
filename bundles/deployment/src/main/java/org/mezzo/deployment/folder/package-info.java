/** What the hot folder holds: jars that are complete, and what else lies there. */
package org.mezzo.deployment.folder;

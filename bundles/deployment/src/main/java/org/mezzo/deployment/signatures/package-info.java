/** Who may sign module jars, and whether somebody of these has signed one. */
package org.mezzo.deployment.signatures;

/**
 * Access control lists in the JSON of Mesos: what they say, and whether somebody may do something.
 * Usable without OSGi and without a daemon.
 */
package org.mezzo.acls;

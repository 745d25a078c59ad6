/**
 * What deployment remembers beyond the life of a process: the bytes of bundles by digest, and a
 * journal of verdicts, of what was good, and of what was done.
 */
package org.mezzo.deployment.journal;

/**
 * Which module bundles are wanted in the cluster, and how they get to its hosts, a few at a time.
 */
package org.mezzo.master.rollouts;

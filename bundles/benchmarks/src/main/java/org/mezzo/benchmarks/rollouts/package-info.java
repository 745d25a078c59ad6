/** How long a rollout takes over a cluster of many hosts. */
package org.mezzo.benchmarks.rollouts;

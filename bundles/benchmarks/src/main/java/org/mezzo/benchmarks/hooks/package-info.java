/** What hooks cost those who call them. */
package org.mezzo.benchmarks.hooks;

/** Load drivers: programs that put real load on real daemons and print what they measured. */
package org.mezzo.benchmarks.load;

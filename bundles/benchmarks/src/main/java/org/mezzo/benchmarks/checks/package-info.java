/** What checking the tasks of an agent costs. */
package org.mezzo.benchmarks.checks;

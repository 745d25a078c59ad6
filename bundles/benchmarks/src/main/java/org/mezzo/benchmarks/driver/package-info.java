/** What the driver of Mesos frameworks is compared with. */
package org.mezzo.benchmarks.driver;

/** What frameworks keep by way of {@code org.apache.mesos.state}, and where. */
package org.mezzo.driver.entries;

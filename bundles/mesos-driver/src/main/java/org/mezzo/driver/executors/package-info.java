/** What drivers of executors say to agents, and keep until agents have it. */
package org.mezzo.driver.executors;

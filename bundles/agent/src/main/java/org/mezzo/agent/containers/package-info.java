/**
 * What operators do with containers by call (rules 340 to 346): those that they nest in the
 * containers of executors, and those that stand alone.
 */
package org.mezzo.agent.containers;

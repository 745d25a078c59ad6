/** What the shell shows of a cluster, and what it has the leader do. */
package org.mezzo.master.commands;

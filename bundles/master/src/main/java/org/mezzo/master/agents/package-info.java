/** The border of the agent link: connections, their agents, and pings. */
package org.mezzo.master.agents;

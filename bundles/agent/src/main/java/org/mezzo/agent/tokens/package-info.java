/** The tokens by which executors are known to their agent. */
package org.mezzo.agent.tokens;

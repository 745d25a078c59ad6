/** What an agent and its master have to say to each other about module bundles. */
package org.mezzo.agent.modules;

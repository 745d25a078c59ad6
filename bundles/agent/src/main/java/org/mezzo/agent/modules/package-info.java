/** Brings the module bundles of a host to what the cluster wants there. */
package org.mezzo.agent.modules;

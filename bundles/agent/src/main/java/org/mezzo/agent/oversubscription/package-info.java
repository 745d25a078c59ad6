/**
 * What the agent lends of what it has given away already, and how it gets that back: asks the
 * resource estimator and the QoS controller, and does as they say (rules 315 to 319).
 */
package org.mezzo.agent.oversubscription;

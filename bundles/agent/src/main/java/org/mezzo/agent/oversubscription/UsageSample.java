package org.mezzo.agent.oversubscription;

import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resources;

/**
 * What runs at one moment.
 *
 * @param usage as modules are shown it
 * @param revocable what is revocable of what executors hold, without allocation roles
 */
record UsageSample(ResourceUsage usage, Resources revocable) {}

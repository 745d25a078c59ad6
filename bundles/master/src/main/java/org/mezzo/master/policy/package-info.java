/** How changes of weights and quotas come from operators to the event loop, and are answered. */
package org.mezzo.master.policy;

package org.mezzo.api.allocator;

import java.time.Instant;
import org.mezzo.resources.Resources;

/**
 * A framework does not want, under one role, what these resources contain on this agent until the
 * filter expires (rule 70, hierarchical-allocator.md section 6).
 *
 * @param resources without allocation role
 */
public record OfferFilter(
    String frameworkId, String role, String agentId, Resources resources, Instant expires) {}

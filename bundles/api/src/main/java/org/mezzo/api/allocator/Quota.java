package org.mezzo.api.allocator;

import org.mezzo.resources.Quantities;

/**
 * Guarantee and limit of a role. A name absent from {@code limits} is unlimited; one present with 0
 * means nothing.
 */
public record Quota(Quantities guarantees, Quantities limits) {}

package org.mezzo.master.ledger;

import org.mezzo.resources.Resources;

/**
 * What one provider of resources gives to an agent.
 *
 * @param total without allocation roles
 * @param version names this total: whoever speaks of another one speaks of the past (rule 157)
 */
public record Provision(Resources total, String version) {}

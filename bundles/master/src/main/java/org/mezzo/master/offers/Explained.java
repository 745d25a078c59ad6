package org.mezzo.master.offers;

import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferQuestion;

/**
 * Why a framework is offered nothing, or only this much.
 *
 * @param question with the role that was meant
 * @param outstanding how many offers the framework has and did not answer
 * @param explanation without roles that the caller may not see
 */
public record Explained(OfferQuestion question, int outstanding, OfferExplanation explanation) {}

package org.mezzo.master.ledger;

import java.util.List;
import java.util.Map;
import org.mezzo.resources.Resources;

/**
 * One change of the ledger, about one agent. All there is in a ledger came by such changes, so that
 * whoever follows them has the same.
 */
public sealed interface LedgerChange {

  /** The agent it is about. */
  String agentId();

  /** The ledger after it. */
  Ledger apply(Ledger ledger);

  /**
   * An agent is there, and nobody holds anything on it.
   *
   * @param providers what each provider gives; the agent itself is {@link Account#AGENT}
   */
  record Opened(String agentId, Map<String, Provision> providers) implements LedgerChange {
    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.open(this);
    }
  }

  /** An agent is gone, and with it what was held on it. Its offers were withdrawn before. */
  record Closed(String agentId) implements LedgerChange {
    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.close(this);
    }
  }

  /** A provider gives something else; who holds what stays, be it more than there is now. */
  record Provided(String agentId, String providerId, Provision provision) implements LedgerChange {
    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.provide(this);
    }
  }

  /** Something free is offered. */
  record Offered(Offer offer) implements LedgerChange {
    @Override
    public String agentId() {
      return offer.agentId();
    }

    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.offer(this);
    }
  }

  /** An offer is gone, and what it held is free. */
  record Withdrawn(Offer offer) implements LedgerChange {
    @Override
    public String agentId() {
      return offer.agentId();
    }

    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.withdraw(this);
    }
  }

  /**
   * Offers are gone, and what they held is allocated to the framework that had them.
   *
   * @param offers at least one, all of one framework and of one agent
   */
  record Claimed(List<Offer> offers) implements LedgerChange {
    /** Refuses offers of several agents or frameworks. */
    public Claimed {
      offers = List.copyOf(offers);
      Offer first = offers.get(0);
      for (Offer offer : offers) {
        if (!offer.agentId().equals(first.agentId())
            || !offer.frameworkId().equals(first.frameworkId())) {
          throw new IllegalArgumentException("offers of several agents or frameworks: " + offers);
        }
      }
    }

    @Override
    public String agentId() {
      return offers.get(0).agentId();
    }

    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.claim(this);
    }
  }

  /** A framework holds something without an offer, for it was found there. */
  record Held(String frameworkId, String agentId, Resources resources) implements LedgerChange {
    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.hold(this);
    }
  }

  /** Something that was allocated to a framework is free. */
  record Released(String frameworkId, String agentId, Resources resources) implements LedgerChange {
    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.release(this);
    }
  }

  /**
   * Something is of another kind than before, in the total and in what a framework holds, together:
   * a reservation, a volume, or neither any more.
   *
   * @param frameworkId who holds it; empty when it is free
   * @param providerId whose it is
   * @param version names the provider's total from now on
   * @param consumed what is there no more, with allocation roles where a framework holds it
   * @param converted what is there instead, likewise
   */
  record Converted(
      String frameworkId,
      String agentId,
      String providerId,
      String version,
      Resources consumed,
      Resources converted)
      implements LedgerChange {
    @Override
    public Ledger apply(Ledger ledger) {
      return ledger.convert(this);
    }
  }
}

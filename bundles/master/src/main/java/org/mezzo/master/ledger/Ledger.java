package org.mezzo.master.ledger;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.mezzo.resources.Resources;
import org.pcollections.HashTreePMap;
import org.pcollections.HashTreePSet;
import org.pcollections.PMap;
import org.pcollections.PSet;

/**
 * The one record of who holds what on which agent. Immutable; it changes by {@link LedgerChange}s
 * alone. Amounts stand with the agent; for frameworks and roles there are only indexes of where to
 * look.
 */
public final class Ledger {
  /** Nobody has anything. */
  public static final Ledger EMPTY =
      new Ledger(
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          Amounts.NONE);

  private final PMap<String, Account> accounts;
  private final PMap<String, Offer> offers;
  private final PMap<String, PSet<String>> agentsByFramework;
  private final PMap<String, PSet<String>> offersByFramework;
  private final PMap<String, PSet<String>> offersByRole;
  private final Amounts amounts;

  private Ledger(
      PMap<String, Account> accounts,
      PMap<String, Offer> offers,
      PMap<String, PSet<String>> agentsByFramework,
      PMap<String, PSet<String>> offersByFramework,
      PMap<String, PSet<String>> offersByRole,
      Amounts amounts) {
    this.accounts = accounts;
    this.offers = offers;
    this.agentsByFramework = agentsByFramework;
    this.offersByFramework = offersByFramework;
    this.offersByRole = offersByRole;
    this.amounts = amounts;
  }

  // What stands in it.

  /** The accounts of all registered agents, by agent id. */
  public PMap<String, Account> accounts() {
    return accounts;
  }

  /** The account of an agent; one with nothing in it when the agent is not registered. */
  public Account account(String agentId) {
    return accounts.getOrDefault(agentId, Account.NONE);
  }

  /** How much there is on all agents together and is held of it; not derived, but kept. */
  public Amounts amounts() {
    return amounts;
  }

  /** All outstanding offers by id. */
  public PMap<String, Offer> offers() {
    return offers;
  }

  /** The outstanding offer of that id. */
  public Optional<Offer> offer(String id) {
    return Optional.ofNullable(offers.get(id));
  }

  /** The ids of a framework's outstanding offers. */
  public PSet<String> offersTo(String frameworkId) {
    return offersByFramework.getOrDefault(frameworkId, HashTreePSet.empty());
  }

  /** The ids of the outstanding offers that were made to exactly this role. */
  public PSet<String> offersFor(String role) {
    return offersByRole.getOrDefault(role, HashTreePSet.empty());
  }

  /** The roles to which there are offers. */
  public Iterable<String> offeredRoles() {
    return offersByRole.keySet();
  }

  /** The ids of the agents on which something is allocated to a framework. */
  public PSet<String> agentsOf(String frameworkId) {
    return agentsByFramework.getOrDefault(frameworkId, HashTreePSet.empty());
  }

  /** What is allocated to a framework, by agent id, with allocation roles. */
  public Map<String, Resources> allocatedTo(String frameworkId) {
    Map<String, Resources> allocated = new HashMap<>();
    for (String agentId : agentsOf(frameworkId)) {
      allocated.put(agentId, account(agentId).allocatedTo(frameworkId));
    }
    return allocated;
  }

  /** Everything that is allocated to a framework anywhere, with allocation roles. */
  public Resources totalAllocatedTo(String frameworkId) {
    return Resources.sum(allocatedTo(frameworkId).values());
  }

  /** Everything that is offered to a framework, with allocation roles. */
  public Resources totalOfferedTo(String frameworkId) {
    return Resources.sum(
        offersTo(frameworkId).stream().map(id -> offers.get(id).resources()).toList());
  }

  // How it changes.

  Ledger open(LedgerChange.Opened change) {
    if (accounts.containsKey(change.agentId())) {
      throw new IllegalStateException("agent " + change.agentId() + " has an account");
    }
    return with(change.agentId(), Account.of(change.providers()));
  }

  Ledger close(LedgerChange.Closed change) {
    Account account = existing(change.agentId());
    if (!account.offers().isEmpty()) {
      throw new IllegalStateException(
          "agent " + change.agentId() + " is offered: " + account.offers());
    }
    PMap<String, PSet<String>> holders = agentsByFramework;
    for (String frameworkId : account.allocated().keySet()) {
      holders = without(holders, frameworkId, change.agentId());
    }
    return new Ledger(
        accounts.minus(change.agentId()),
        offers,
        holders,
        offersByFramework,
        offersByRole,
        amounts.with(account.amounts(), Amounts.NONE));
  }

  Ledger provide(LedgerChange.Provided change) {
    return with(
        change.agentId(),
        existing(change.agentId()).withProvider(change.providerId(), change.provision()));
  }

  Ledger offer(LedgerChange.Offered change) {
    Offer offer = change.offer();
    Account account = existing(offer.agentId());
    if (!account.free().contains(offer.resources().unallocated())) {
      throw new IllegalStateException(
          "offer " + offer.id() + " of " + offer.resources() + " while free is " + account.free());
    }
    Account after = account.offer(offer);
    return new Ledger(
        accounts.plus(offer.agentId(), after),
        offers.plus(offer.id(), offer),
        agentsByFramework,
        with(offersByFramework, offer.frameworkId(), offer.id()),
        with(offersByRole, offer.role(), offer.id()),
        amounts.with(account.amounts(), after.amounts()));
  }

  Ledger withdraw(LedgerChange.Withdrawn change) {
    return withdraw(change.offer());
  }

  private Ledger withdraw(Offer offer) {
    if (offers.get(offer.id()) != offer) {
      throw new IllegalStateException("offer " + offer.id() + " is not outstanding");
    }
    Account before = existing(offer.agentId());
    Account after = before.withdraw(offer);
    return new Ledger(
        accounts.plus(offer.agentId(), after),
        offers.minus(offer.id()),
        agentsByFramework,
        without(offersByFramework, offer.frameworkId(), offer.id()),
        without(offersByRole, offer.role(), offer.id()),
        amounts.with(before.amounts(), after.amounts()));
  }

  Ledger claim(LedgerChange.Claimed change) {
    Ledger next = this;
    for (Offer offer : change.offers()) {
      next = next.withdraw(offer).allocate(offer.frameworkId(), offer.agentId(), offer.resources());
    }
    return next;
  }

  Ledger hold(LedgerChange.Held change) {
    return allocate(change.frameworkId(), change.agentId(), change.resources());
  }

  private Ledger allocate(String frameworkId, String agentId, Resources resources) {
    if (resources.isEmpty()) {
      return this;
    }
    Account before = existing(agentId);
    Account after = before.allocate(frameworkId, resources);
    return new Ledger(
        accounts.plus(agentId, after),
        offers,
        with(agentsByFramework, frameworkId, agentId),
        offersByFramework,
        offersByRole,
        amounts.with(before.amounts(), after.amounts()));
  }

  Ledger release(LedgerChange.Released change) {
    Account before = existing(change.agentId());
    if (!before.allocatedTo(change.frameworkId()).contains(change.resources())) {
      throw new IllegalStateException(
          change + " while it holds " + before.allocatedTo(change.frameworkId()));
    }
    Account after = before.release(change.frameworkId(), change.resources());
    return new Ledger(
        accounts.plus(change.agentId(), after),
        offers,
        after.allocated().containsKey(change.frameworkId())
            ? agentsByFramework
            : without(agentsByFramework, change.frameworkId(), change.agentId()),
        offersByFramework,
        offersByRole,
        amounts.with(before.amounts(), after.amounts()));
  }

  Ledger convert(LedgerChange.Converted change) {
    Account account = existing(change.agentId());
    Provision before = account.providers().get(change.providerId());
    Resources consumed = change.consumed().unallocated();
    if (before == null || !before.total().contains(consumed)) {
      throw new IllegalStateException(change + " while there is " + before);
    }
    Account after =
        account.withProvider(
            change.providerId(),
            new Provision(
                before.total().minus(consumed).plus(change.converted().unallocated()),
                change.version()));
    if (change.frameworkId().isEmpty()) {
      if (!account.free().contains(consumed)) {
        throw new IllegalStateException(change + " while free is " + account.free());
      }
    } else {
      if (!account.allocatedTo(change.frameworkId()).contains(change.consumed())) {
        throw new IllegalStateException(
            change + " while it holds " + account.allocatedTo(change.frameworkId()));
      }
      after =
          after
              .release(change.frameworkId(), change.consumed())
              .allocate(change.frameworkId(), change.converted());
    }
    return with(change.agentId(), after);
  }

  private Account existing(String agentId) {
    Account account = accounts.get(agentId);
    if (account == null) {
      throw new IllegalStateException("agent " + agentId + " has no account");
    }
    return account;
  }

  private Ledger with(String agentId, Account account) {
    return new Ledger(
        accounts.plus(agentId, account),
        offers,
        agentsByFramework,
        offersByFramework,
        offersByRole,
        amounts.with(account(agentId).amounts(), account.amounts()));
  }

  private static PMap<String, PSet<String>> with(
      PMap<String, PSet<String>> index, String key, String id) {
    PSet<String> ids = index.getOrDefault(key, HashTreePSet.empty());
    PSet<String> next = ids.plus(id);
    return next == ids ? index : index.plus(key, next);
  }

  private static PMap<String, PSet<String>> without(
      PMap<String, PSet<String>> index, String key, String id) {
    PSet<String> left = index.getOrDefault(key, HashTreePSet.empty()).minus(id);
    return left.isEmpty() ? index.minus(key) : index.plus(key, left);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Ledger ledger
        && accounts.equals(ledger.accounts)
        && offers.equals(ledger.offers)
        && agentsByFramework.equals(ledger.agentsByFramework)
        && offersByFramework.equals(ledger.offersByFramework)
        && offersByRole.equals(ledger.offersByRole);
  }

  @Override
  public int hashCode() {
    return accounts.hashCode() + 31 * offers.hashCode();
  }

  @Override
  public String toString() {
    return accounts + ", " + offers.size() + " offers";
  }
}

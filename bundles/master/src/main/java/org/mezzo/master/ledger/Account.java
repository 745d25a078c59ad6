package org.mezzo.master.ledger;

import java.util.Map;
import org.mezzo.resources.Resources;
import org.pcollections.HashTreePMap;
import org.pcollections.HashTreePSet;
import org.pcollections.PMap;
import org.pcollections.PSet;

/** What one agent has and who holds how much of it. Immutable; sums are derived when asked for. */
public final class Account {
  /** The provider that the agent itself is. */
  public static final String AGENT = "";

  /** Of an agent that is not known. */
  static final Account NONE =
      new Account(
          HashTreePMap.empty(), HashTreePMap.empty(), HashTreePMap.empty(), HashTreePSet.empty());

  private final PMap<String, Provision> providers;
  private final PMap<String, Resources> allocated;
  private final PMap<String, Resources> offered;
  private final PSet<String> offers;

  // Derived from the above, hence it does not matter which thread fills them or how often.
  private Resources total;
  private Resources free;

  private Account(
      PMap<String, Provision> providers,
      PMap<String, Resources> allocated,
      PMap<String, Resources> offered,
      PSet<String> offers) {
    this.providers = providers;
    this.allocated = allocated;
    this.offered = offered;
    this.offers = offers;
  }

  /** Of an agent on which nobody holds anything. */
  static Account of(Map<String, Provision> providers) {
    return new Account(
        HashTreePMap.from(providers),
        HashTreePMap.empty(),
        HashTreePMap.empty(),
        HashTreePSet.empty());
  }

  /** What each provider gives, by its id; that of the agent is {@link #AGENT}. */
  public PMap<String, Provision> providers() {
    return providers;
  }

  /** What tasks and executors hold, by framework id, with allocation roles. */
  public PMap<String, Resources> allocated() {
    return allocated;
  }

  /** What outstanding offers hold, by framework id, with allocation roles. */
  public PMap<String, Resources> offered() {
    return offered;
  }

  /** The ids of its outstanding offers. */
  public PSet<String> offers() {
    return offers;
  }

  /** Names what the agent itself gives (rule 157); empty when it gives nothing. */
  public String version() {
    Provision own = providers.get(AGENT);
    return own == null ? "" : own.version();
  }

  /** Everything there is, without allocation roles. */
  public Resources total() {
    Resources known = total;
    if (known == null) {
      known = Resources.EMPTY;
      for (Provision provision : providers.values()) {
        known = known.plus(provision.total());
      }
      total = known;
    }
    return known;
  }

  /**
   * What is neither offered nor allocated, without allocation roles. Shared resources are always
   * free. An agent that has shrunk below what is held has nothing free until that is given back.
   */
  public Resources free() {
    Resources known = free;
    if (known == null) {
      Resources held = totalAllocated().plus(totalOffered()).unallocated();
      known = total().nonShared().minus(held.nonShared()).plus(total().shared());
      free = known;
    }
    return known;
  }

  /** Everything allocated, with allocation roles. */
  public Resources totalAllocated() {
    return Resources.sum(allocated.values());
  }

  /** Everything offered, with allocation roles. */
  public Resources totalOffered() {
    return Resources.sum(offered.values());
  }

  /** What is allocated to one framework. */
  public Resources allocatedTo(String frameworkId) {
    return allocated.getOrDefault(frameworkId, Resources.EMPTY);
  }

  /** What is offered to one framework. */
  public Resources offeredTo(String frameworkId) {
    return offered.getOrDefault(frameworkId, Resources.EMPTY);
  }

  Account withProvider(String providerId, Provision provision) {
    return new Account(providers.plus(providerId, provision), allocated, offered, offers);
  }

  Account allocate(String frameworkId, Resources resources) {
    return new Account(providers, add(allocated, frameworkId, resources), offered, offers);
  }

  Account release(String frameworkId, Resources resources) {
    return new Account(providers, subtract(allocated, frameworkId, resources), offered, offers);
  }

  Account offer(Offer offer) {
    return new Account(
        providers,
        allocated,
        add(offered, offer.frameworkId(), offer.resources()),
        offers.plus(offer.id()));
  }

  Account withdraw(Offer offer) {
    return new Account(
        providers,
        allocated,
        subtract(offered, offer.frameworkId(), offer.resources()),
        offers.minus(offer.id()));
  }

  private static PMap<String, Resources> add(
      PMap<String, Resources> amounts, String key, Resources more) {
    if (more.isEmpty()) {
      return amounts;
    }
    Resources now = amounts.get(key);
    return amounts.plus(key, now == null ? more : now.plus(more));
  }

  private static PMap<String, Resources> subtract(
      PMap<String, Resources> amounts, String key, Resources less) {
    Resources now = amounts.get(key);
    if (now == null) {
      return amounts;
    }
    Resources left = now.minus(less);
    return left.isEmpty() ? amounts.minus(key) : amounts.plus(key, left);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Account account
        && providers.equals(account.providers)
        && allocated.equals(account.allocated)
        && offered.equals(account.offered)
        && offers.equals(account.offers);
  }

  @Override
  public int hashCode() {
    return providers.hashCode() + 31 * offers.hashCode();
  }

  @Override
  public String toString() {
    return "total " + total() + ", allocated " + allocated + ", offered " + offered;
  }
}

package org.mezzo.master.ledger;

import java.util.HashMap;
import java.util.Map;
import org.mezzo.resources.Quantities;
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
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePSet.empty(),
          Amounts.NONE);

  private final PMap<String, Provision> providers;
  private final PMap<String, Resources> allocated;
  private final PMap<String, Resources> offered;
  private final PSet<String> offers;
  private final Amounts amounts;

  // Derived from the above, hence it does not matter which thread fills them or how often.
  private Resources total;
  private Resources free;
  private Map<String, Quantities> allocations;
  private Map<String, Quantities> consumption;

  private Account(
      PMap<String, Provision> providers,
      PMap<String, Resources> allocated,
      PMap<String, Resources> offered,
      PSet<String> offers,
      Amounts amounts) {
    this.providers = providers;
    this.allocated = allocated;
    this.offered = offered;
    this.offers = offers;
    this.amounts = amounts;
  }

  /** Of an agent on which nobody holds anything. */
  static Account of(Map<String, Provision> providers) {
    Account account = NONE;
    for (Map.Entry<String, Provision> each : providers.entrySet()) {
      account = account.withProvider(each.getKey(), each.getValue());
    }
    return account;
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

  /** How much there is and is held of it, in numbers; not derived, but kept. */
  public Amounts amounts() {
    return amounts;
  }

  /**
   * What roles consume of their quotas here (rule 258), by the role that has it: what is not
   * revocable of the allocated, and of reservations that nobody uses.
   */
  public Map<String, Quantities> consumption() {
    Map<String, Quantities> known = consumption;
    if (known == null) {
      known = allocations();
      if (total().hasReserved()) {
        Map<String, Quantities> sums = new HashMap<>(known);
        consume(sums, total().minus(totalAllocated().unallocated()).reserved());
        known = Map.copyOf(sums);
      }
      consumption = known;
    }
    return known;
  }

  /** What is not revocable of the allocated, by allocation role. */
  public Map<String, Quantities> allocations() {
    Map<String, Quantities> known = allocations;
    if (known == null) {
      Map<String, Quantities> sums = new HashMap<>();
      consume(sums, totalAllocated().allocations());
      known = Map.copyOf(sums);
      allocations = known;
    }
    return known;
  }

  private static void consume(Map<String, Quantities> sums, Map<String, Resources> byRole) {
    byRole.forEach(
        (role, resources) -> {
          Quantities more = resources.nonRevocable().quantities();
          if (!more.isEmpty()) {
            sums.merge(role, more, Quantities::plus);
          }
        });
  }

  Account withProvider(String providerId, Provision provision) {
    Provision before = providers.get(providerId);
    return new Account(
        providers.plus(providerId, provision),
        allocated,
        offered,
        offers,
        amounts.withTotal(before == null ? Resources.EMPTY : before.total(), provision.total()));
  }

  Account allocate(String frameworkId, Resources resources) {
    return withAllocated(frameworkId, add(allocated, frameworkId, resources));
  }

  Account release(String frameworkId, Resources resources) {
    return withAllocated(frameworkId, subtract(allocated, frameworkId, resources));
  }

  private Account withAllocated(String frameworkId, PMap<String, Resources> next) {
    return new Account(
        providers,
        next,
        offered,
        offers,
        amounts.withAllocated(
            allocatedTo(frameworkId), next.getOrDefault(frameworkId, Resources.EMPTY)));
  }

  Account offer(Offer offer) {
    return withOffered(
        offer, add(offered, offer.frameworkId(), offer.resources()), offers.plus(offer.id()));
  }

  Account withdraw(Offer offer) {
    return withOffered(
        offer, subtract(offered, offer.frameworkId(), offer.resources()), offers.minus(offer.id()));
  }

  private Account withOffered(Offer offer, PMap<String, Resources> next, PSet<String> nextOffers) {
    return new Account(
        providers,
        allocated,
        next,
        nextOffers,
        amounts.withOffered(
            offeredTo(offer.frameworkId()),
            next.getOrDefault(offer.frameworkId(), Resources.EMPTY)));
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

package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.api.allocator.Quota;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Consumption;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.quota.QuotaConfig;
import org.mezzo.resources.Quantities;

/** Quotas: their messages, what is wrong with them, and which offers stand in their way. */
public final class Quotas {
  private static final Comparator<Offer> OLDEST_FIRST =
      Comparator.comparing(Offer::created).thenComparing(Offer::id);

  private static final long MOST_MEGABYTES = 1L << 40;
  private static final long MOST_OTHERS = 1_000_000_000_000L;

  private Quotas() {}

  /** The quota that a message means; guarantees of nothing are none. */
  static Quota of(QuotaConfig config) {
    return new Quota(
        quantities(config.getGuaranteesMap()).minus(Quantities.EMPTY),
        quantities(config.getLimitsMap()));
  }

  private static Quantities quantities(Map<String, Value.Scalar> amounts) {
    Map<String, Long> millis = new TreeMap<>();
    amounts.forEach((name, amount) -> millis.put(name, Math.round(amount.getValue() * 1000)));
    return Quantities.of(millis);
  }

  /** A quota as a message; the same quota comes of it again. */
  public static QuotaConfig message(String role, Quota quota) {
    QuotaConfig.Builder config = QuotaConfig.newBuilder().setRole(role);
    Quantities guarantees = quota.guarantees();
    guarantees.names().forEach(it -> config.putGuarantees(it, scalar(guarantees.get(it))));
    Quantities limits = quota.limits();
    limits.names().forEach(it -> config.putLimits(it, scalar(limits.get(it))));
    return config.build();
  }

  /** An amount in thousandths as the protocol has it. */
  public static Value.Scalar scalar(long millis) {
    return Value.Scalar.newBuilder().setValue(millis / 1000.0).build();
  }

  /** A policy with another quota; one that neither guarantees nor limits anything is none. */
  static Policy with(Policy policy, String role, Quota quota) {
    boolean none = quota.guarantees().isEmpty() && quota.limits().isEmpty();
    return new Policy(
        policy.weights(), none ? policy.quotas().minus(role) : policy.quotas().plus(role, quota));
  }

  /** What is wrong with a message, whatever the cluster is like (rule 257). */
  static Optional<String> problem(QuotaConfig config) {
    Optional<String> role =
        Roles.problem(config.getRole()).map(text -> "Invalid 'QuotaConfig.role': " + text);
    return role.or(() -> problem("guarantee", config.getGuaranteesMap()))
        .or(() -> problem("limit", config.getLimitsMap()))
        .or(
            () -> {
              Quota quota = of(config);
              return within(quota.guarantees(), quota.limits())
                  ? Optional.empty()
                  : Optional.of(
                      "'QuotaConfig.guarantees' '"
                          + quota.guarantees()
                          + "' is not contained within the 'QuotaConfig.limits' '"
                          + quota.limits()
                          + "'");
            });
  }

  private static Optional<String> problem(String what, Map<String, Value.Scalar> amounts) {
    for (Map.Entry<String, Value.Scalar> entry : new TreeMap<>(amounts).entrySet()) {
      String name = entry.getKey();
      double value = entry.getValue().getValue();
      Optional<String> wrong = problem(name, value);
      if (wrong.isPresent()) {
        return Optional.of(
            "Invalid " + what + " configuration {'" + name + "': " + value + "}: " + wrong.get());
      }
    }
    return Optional.empty();
  }

  private static Optional<String> problem(String name, double value) {
    if (!Double.isFinite(value)) {
      return Optional.of("it has to be a finite number");
    }
    if (value < 0) {
      return Optional.of("values less than 0 are not supported");
    }
    boolean megabytes = name.equals("mem") || name.equals("disk");
    if (megabytes && value > MOST_MEGABYTES) {
      return Optional.of(
          "values greater than 1 exabyte (" + MOST_MEGABYTES + ") are not supported");
    }
    if (!megabytes && value > MOST_OTHERS) {
      return Optional.of("values greater than 1 trillion (" + MOST_OTHERS + ") are not supported");
    }
    return Optional.empty();
  }

  /** Whether amounts keep to limits; what has no limit may be any amount. */
  static boolean within(Quantities amounts, Quantities limits) {
    return limits.names().stream().allMatch(name -> amounts.get(name) <= limits.get(name));
  }

  /** Why a policy guarantees more than the registered agents have; empty when it does not. */
  static Optional<String> overcommitment(MasterState state, Policy policy) {
    Quantities guaranteed = Quantities.EMPTY;
    for (Quota quota : policy.quotas().values()) {
      guaranteed = guaranteed.plus(quota.guarantees());
    }
    Quantities capacity = Quantities.EMPTY;
    for (Account account : state.ledger().accounts().values()) {
      capacity = capacity.plus(account.total().nonRevocable().scalars().quantities());
    }
    return capacity.contains(guaranteed)
        ? Optional.empty()
        : Optional.of(
            "total quota guarantees '"
                + guaranteed
                + "' exceed cluster capacity '"
                + capacity
                + "'");
  }

  /** Tells the allocator all quotas; whatever it proposed without knowing them is void. */
  static void tell(Transition tx) {
    Map<String, Quota> all = Map.copyOf(tx.state().quotas());
    tx.tellPolicy("quotasUpdated", it -> it.quotasUpdated(all));
  }

  /**
   * The offers that go when the quotas of roles have changed (rule 260): those of the role itself
   * beyond its limits, and those of others that its guarantees need.
   */
  static List<String> inTheWay(MasterState state, Set<String> roles) {
    Map<String, Quantities> consumption = Consumption.of(state);
    List<String> going = new ArrayList<>();
    for (String role : roles) {
      Quota quota = state.quotas().get(role);
      if (quota != null) {
        Quantities has =
            beyondLimits(
                state, role, quota, consumption.getOrDefault(role, Quantities.EMPTY), going);
        forGuarantees(state, role, quota, has, going);
      }
    }
    return going;
  }

  /** Gives what the role consumes and is still offered. */
  private static Quantities beyondLimits(
      MasterState state, String role, Quota quota, Quantities consumed, List<String> going) {
    Set<String> gone = new HashSet<>(going);
    List<Offer> own = new ArrayList<>();
    for (String offered : state.ledger().offeredRoles()) {
      if (Consumption.within(offered, role)) {
        for (String id : state.ledger().offersFor(offered)) {
          if (!gone.contains(id)) {
            own.add(state.offers().get(id));
          }
        }
      }
    }
    own.sort(OLDEST_FIRST);
    Quantities has = consumed;
    for (Offer offer : own) {
      has = has.plus(counted(offer));
    }
    for (Offer offer : own) {
      Quantities all = has;
      Quantities counted = counted(offer);
      boolean helps =
          quota.limits().names().stream()
              .anyMatch(it -> all.get(it) > quota.limits().get(it) && counted.get(it) > 0);
      if (helps) {
        going.add(offer.id());
        has = has.minus(counted);
      }
    }
    return has;
  }

  private static void forGuarantees(
      MasterState state, String role, Quota quota, Quantities has, List<String> going) {
    Quantities missing = quota.guarantees().minus(has);
    if (missing.isEmpty()) {
      return;
    }
    Set<String> gone = new HashSet<>(going);
    List<Offer> offers = new ArrayList<>(state.offers().values());
    offers.sort(OLDEST_FIRST);
    for (Offer offer : offers) {
      if (missing.isEmpty()) {
        return;
      }
      Quantities needed = missing;
      Quantities counted = counted(offer);
      if (!Consumption.within(offer.role(), role)
          && !gone.contains(offer.id())
          && needed.names().stream().anyMatch(it -> counted.get(it) > 0)) {
        going.add(offer.id());
        missing = missing.minus(counted);
      }
    }
  }

  /** Reservations count for their role whether they are offered or not. */
  private static Quantities counted(Offer offer) {
    return offer.resources().unreserved().nonRevocable().quantities();
  }
}

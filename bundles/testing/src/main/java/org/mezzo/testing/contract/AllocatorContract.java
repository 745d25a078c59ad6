package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.InverseAnswer;
import org.mezzo.api.allocator.InverseOffer;
import org.mezzo.api.allocator.OfferConstraintsFilter;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.TimeInfo;
import org.mezzo.protocol.v1.Unavailability;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/**
 * The rules of {@link Allocator}: whatever is proposed is free, goes to an active framework under a
 * role that it is subscribed to and has not suppressed, and is neither refused, reserved for
 * others, excluded by constraints or whitelist, nor beyond a quota. The kit is the master: it keeps
 * the ledger, tells every change, and checks every proposal. {@link ModuleContract} says how to
 * extend it.
 *
 * <p>Who is to get what is the allocator's policy, of which the kit demands one thing only: that
 * what somebody may have is offered to somebody, within ten cycles.
 */
public abstract class AllocatorContract extends ModuleContract<Allocator> {
  private static final List<String> ROLES = List.of("a", "a/b", "a/b/c", "d", "*");
  private static final Optional<Set<String>> ALL = Optional.empty();
  private static final Duration BATCH = Duration.ofSeconds(1);
  private static final Duration REFUSAL = Duration.ofSeconds(60);
  private static final int CYCLES = 10;
  private static final int STEPS = 60;
  private static final int MANY = 1000;

  private Ledger ledger;

  /** For subclasses. */
  protected AllocatorContract() {}

  /** Whether limits of quotas are kept; an allocator that knows no quotas says false. */
  protected boolean keepsQuotas() {
    return true;
  }

  /** The flags with which the allocator is started: as a master has them by default. */
  protected AllocatorOptions options() {
    return AllocatorOptions.builder().build();
  }

  @Override
  Role role() {
    return Role.MASTER;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(10);
  }

  @Override
  void begin(Instance<Allocator> allocator) {
    allocator.tell("start", it -> it.start(options(), AllocationState.EMPTY));
    ledger = new Ledger(clock(), options(), allocator);
  }

  @Override
  void takeOver(Instance<Allocator> before, Instance<Allocator> next) {
    AllocationState state = ledger.state();
    next.tell("start", it -> it.start(options(), state));
    ledger = new Ledger(ledger, next);
  }

  @Override
  void use(Instance<Allocator> allocator, Random random) {
    for (int step = 0; step < STEPS; step++) {
      change(random);
      clock().pass(Duration.ofMillis(random.nextInt(1500)));
      explain(allocator, random);
    }
  }

  private List<Proposal> cycle(Optional<Set<String>> candidates) {
    return ledger.cycle(candidates, keepsQuotas());
  }

  private void change(Random random) {
    switch (random.nextInt(13)) {
      case 0, 1 -> addAgent(random);
      case 2 -> addFramework(random);
      case 3 -> updateFramework(random);
      case 4 -> remove(random);
      case 5 -> updateAgent(random);
      case 6 -> setLimits(random);
      case 7, 8 -> cycle(ALL);
      case 9 -> dropSome(cycle(Optional.of(Ledger.some(ledger.agents.keySet(), random))), random);
      default -> release(random);
    }
  }

  private void addAgent(Random random) {
    ledger.addAgent(
        "cpus:%d;mem:%d;ports:[1-%d];cpus(a):%d"
            .formatted(
                1 + random.nextInt(8),
                100 * (1 + random.nextInt(50)),
                1 + random.nextInt(20),
                1 + random.nextInt(3)));
  }

  private void addFramework(Random random) {
    FrameworkState framework = ledger.addFramework(Ledger.any(ROLES, random));
    if (random.nextInt(4) == 0) {
      ledger.update(framework.toBuilder().constraints(without("host-of-agent-1")).build());
    }
  }

  private void updateFramework(Random random) {
    if (!ledger.frameworks.isEmpty()) {
      Set<String> roles = Ledger.some(ROLES, random);
      ledger.update(
          Ledger.any(ledger.frameworks.values(), random).toBuilder()
              .roles(roles)
              .suppressed(Ledger.some(roles, random))
              .active(random.nextInt(4) > 0)
              .build());
    }
  }

  private void updateAgent(Random random) {
    if (!ledger.agents.isEmpty()) {
      ledger.update(
          Ledger.any(ledger.agents.values(), random).toBuilder()
              .active(random.nextInt(4) > 0)
              .build());
    }
  }

  private void remove(Random random) {
    if (random.nextBoolean() && ledger.agents.size() > 3) {
      ledger.removeAgent(Ledger.any(ledger.agents.keySet(), random));
    } else if (ledger.frameworks.size() > 3) {
      ledger.removeFramework(Ledger.any(ledger.frameworks.keySet(), random));
    }
  }

  private void setLimits(Random random) {
    Map<String, Quota> quotas = new HashMap<>();
    for (String role : List.of("a", "d")) {
      if (random.nextBoolean()) {
        quotas.put(
            role,
            new Quota(
                Quantities.of("cpus", 1000L * random.nextInt(2)),
                Quantities.of("cpus", 1000L * (2 + random.nextInt(10)))));
      }
    }
    ledger.quotas(quotas);
    Set<String> hosts = new HashSet<>();
    for (AgentState agent : ledger.agents.values()) {
      if (random.nextBoolean()) {
        hosts.add(agent.info().getHostname());
      }
    }
    ledger.whitelist(random.nextInt(3) == 0 ? Optional.of(hosts) : Optional.empty());
  }

  /** As a master that finds that a proposal does not fit any more. */
  private void dropSome(List<Proposal> proposals, Random random) {
    proposals.stream().filter(each -> random.nextBoolean()).forEach(ledger::release);
  }

  private void release(Random random) {
    for (Proposal held : ledger.held()) {
      if (random.nextInt(3) > 0) {
        continue;
      }
      Resources part = held.resources();
      Resources some = random.nextBoolean() ? part : part.filter(each -> random.nextBoolean());
      if (some.isEmpty()) {
        continue;
      }
      Proposal freed = new Proposal(held.frameworkId(), held.role(), held.agentId(), some);
      boolean subscribed = ledger.frameworks.get(held.frameworkId()).roles().contains(held.role());
      if (subscribed && random.nextBoolean()) {
        ledger.decline(freed, clock().instant().plusMillis(1 + random.nextInt(20_000)));
      } else {
        ledger.release(freed);
      }
    }
  }

  private void explain(Instance<Allocator> allocator, Random random) {
    String framework =
        ledger.frameworks.isEmpty() || random.nextInt(5) == 0
            ? "nobody"
            : Ledger.any(ledger.frameworks.keySet(), random);
    OfferQuestion question =
        OfferQuestion.builder(framework, Ledger.any(ROLES, random))
            .mostAgents(random.nextInt(3))
            .build();
    allocator.ask("explain", it -> it.explain(question));
  }

  private static OfferConstraintsFilter without(String host) {
    return new OfferConstraintsFilter() {
      @Override
      public boolean isConstrained(String role) {
        return true;
      }

      @Override
      public boolean isAgentExcluded(String role, AgentInfo agent) {
        return agent.getHostname().equals(host);
      }
    };
  }

  /** What is free is offered, and offered once only. */
  @Test
  public void offersWhatIsFree() throws Exception {
    Instance<Allocator> allocator = opened();
    AgentState agent = ledger.addAgent("cpus:4;mem:2048;ports:[1-10]");
    ledger.addFramework("a");
    List<Proposal> offers = offersSoon("a framework and an agent are there");
    check(
        ledger.free(agent.id()).quantities().get("cpus") == 0,
        "after " + CYCLES + " cycles there is still " + ledger.free(agent.id()) + " free");
    check(!offers.isEmpty() && cycle(ALL).isEmpty(), "what is offered already is offered again");
    allocator.close();
  }

  /** What comes back is offered again: declined, dropped by the master, or no longer in use. */
  @Test
  public void offersAgainWhatComesBack() throws Exception {
    Instance<Allocator> allocator = opened();
    ledger.addAgent("cpus:4;mem:2048");
    FrameworkState framework = ledger.addFramework("a");
    List<Proposal> offers = offersSoon("a framework and an agent are there");
    offers.forEach(ledger::release);
    offers = offersSoon("offers came back without a filter");
    offers.forEach(offer -> ledger.decline(offer, clock().instant().plus(REFUSAL)));
    nothing("it was refused for " + REFUSAL.toSeconds() + " s");
    clock().pass(REFUSAL);
    offers = offersSoon("the filter has expired");
    offers.forEach(offer -> ledger.decline(offer, clock().instant().plus(REFUSAL)));
    ledger.removeFilters(framework.id());
    offersSoon("the framework has revived offers");
    ledger.removeFramework(framework.id());
    ledger.addFramework("a");
    offersSoon("the framework is gone and another one is there");
    allocator.close();
  }

  /** Nothing for who wants or can have nothing, until that is over. */
  @Test
  public void offersNothingToWhomNothingMayBeOffered() throws Exception {
    Instance<Allocator> allocator = opened();
    AgentState agent = ledger.addAgent("cpus:4;mem:2048");
    FrameworkState framework = ledger.addFramework("a", "d");
    back(offersSoon("a framework and an agent are there"));
    ledger.update(framework.toBuilder().suppressed(Set.of("a", "d")).build());
    nothing("offers are suppressed");
    ledger.update(framework.toBuilder().active(false).build());
    nothing("the framework is not active");
    ledger.update(framework.toBuilder().roles(Set.of()).build());
    nothing("the framework has no role");
    ledger.update(framework.toBuilder().constraints(without("host-of-" + agent.id())).build());
    nothing("constraints exclude the agent");
    ledger.update(framework);
    back(offersSoon("the framework is as it was"));
    ledger.update(agent.toBuilder().active(false).build());
    nothing("the agent is not active");
    ledger.update(agent);
    ledger.whitelist(Optional.of(Set.of("another host")));
    nothing("the whitelist is without the agent");
    ledger.whitelist(Optional.empty());
    check(cycle(Optional.of(Set.of("nobody"))).isEmpty(), "an unknown agent is offered");
    back(offersSoon("all is as it was"));
    ledger.removeAgent(agent.id());
    nothing("the agent is gone");
    allocator.close();
  }

  /**
   * What others got without a proposal is not offered; what a framework had when it came neither.
   */
  @Test
  public void regardsWhatOthersGot() throws Exception {
    Instance<Allocator> allocator = opened();
    AgentState agent = ledger.addAgent("cpus:4;mem:2048");
    FrameworkState framework = ledger.addFramework("a");
    Proposal all = new Proposal(framework.id(), "a", agent.id(), agent.total().allocatedTo("a"));
    ledger.allocate(all);
    nothing("everything is allocated");
    ledger.release(all);
    back(offersSoon("everything is free again"));
    ledger.update(agent.toBuilder().total(Samples.resources("cpus:8;mem:4096")).build());
    offersSoon("the agent has grown");
    check(ledger.free(agent.id()).isEmpty(), "of an agent that has grown something stays free");
    allocator.close();
  }

  /**
   * An instance that is told the whole ledger anew offers of each agent what one would that was
   * told each change.
   */
  @Test
  public void toldTheLedgerAnewItOffersTheSame() throws Exception {
    Random random = random();
    Instance<Allocator> lived = opened();
    for (int i = 0; i < CYCLES; i++) {
      ledger.addAgent("cpus:%d;mem:%d".formatted(1 + random.nextInt(8), 64 + random.nextInt(999)));
      ledger.addFramework("a");
      ledger.addFramework("d");
      cycle(ALL);
      ledger.held().stream().filter(each -> random.nextBoolean()).forEach(ledger::release);
    }
    Instance<Allocator> anew = instance(plain("daemon"));
    anew.open();
    Ledger before = ledger;
    takeOver(lived, anew);
    Map<String, Resources> offeredAnew = offered();
    ledger = before;
    Map<String, Resources> offered = offered();
    check(
        offeredAnew.equals(offered),
        "told anew it offers " + offeredAnew + ", and told each change " + offered);
    lived.close();
    anew.close();
  }

  private Map<String, Resources> offered() {
    Map<String, Resources> offered = new TreeMap<>();
    for (int i = 0; i < CYCLES; i++) {
      for (Proposal each : cycle(ALL)) {
        offered.merge(each.agentId(), each.resources().unallocated(), Resources::plus);
      }
    }
    return offered;
  }

  /**
   * Asks to give back only what is held on agents that become unavailable, nobody twice before
   * there is an answer, and nobody who said no before that expires. An allocator that never asks
   * passes.
   */
  @Test
  public void asksBackOnlyWhatIsHeldOnAgentsThatGo() throws Exception {
    Instance<Allocator> allocator = opened();
    AgentState agent = ledger.addAgent("cpus:4;mem:2048");
    ledger.addAgent("cpus:4;mem:2048");
    FrameworkState framework = ledger.addFramework("a");
    offersSoon("a framework and agents are there");
    check(inverse(allocator).isEmpty(), "it asks back what is on agents that stay");
    ledger.update(agent.toBuilder().unavailability(Optional.of(soon())).build());
    List<InverseOffer> asked = inverse(allocator);
    check(
        asked.isEmpty() || asked.equals(List.of(new InverseOffer(framework.id(), agent.id()))),
        "it asks " + asked);
    check(inverse(allocator).isEmpty(), "it asks again before there is an answer");
    for (InverseOffer offer : asked) {
      InverseAnswer no =
          InverseAnswer.builder(offer, InverseAnswer.Outcome.DECLINED)
              .filterExpires(Optional.of(clock().instant().plus(REFUSAL)))
              .build();
      allocator.tell("inverseOfferAnswered", it -> it.inverseOfferAnswered(no));
      check(inverse(allocator).isEmpty(), "it asks again before the filter has expired");
    }
    allocator.close();
  }

  private static List<InverseOffer> inverse(Instance<Allocator> allocator) {
    return allocator.ask("inverseOffers", it -> it.inverseOffers(ALL));
  }

  private Unavailability soon() {
    long start = clock().instant().plus(REFUSAL).getEpochSecond() * 1_000_000_000;
    return Unavailability.newBuilder()
        .setStart(TimeInfo.newBuilder().setNanoseconds(start))
        .setDuration(DurationInfo.newBuilder().setNanoseconds(REFUSAL.toNanos()))
        .build();
  }

  /** A cycle over a thousand agents and fifty frameworks ends within the deadline. */
  @Test
  public void keepsUpWithManyAgents() throws Exception {
    Instance<Allocator> allocator = opened();
    for (int i = 0; i < MANY / 20; i++) {
      ledger.addFramework(ROLES.get(i % ROLES.size()));
    }
    for (int i = 0; i < MANY; i++) {
      ledger.addAgent("cpus:4;mem:2048;ports:[1-100]");
    }
    cycle(ALL);
    allocator.close();
  }

  private void back(List<Proposal> offers) {
    offers.forEach(ledger::release);
  }

  private List<Proposal> offersSoon(String since) {
    List<Proposal> offers = new ArrayList<>();
    for (int i = 0; i < CYCLES; i++) {
      offers.addAll(cycle(ALL));
      clock().pass(BATCH);
    }
    check(!offers.isEmpty(), "nothing is offered in " + CYCLES + " cycles, though " + since);
    return offers;
  }

  private void nothing(String because) {
    for (int i = 0; i < 2; i++) {
      List<Proposal> offers = cycle(ALL);
      check(offers.isEmpty(), offers + " is offered, though " + because);
    }
  }
}

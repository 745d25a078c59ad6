package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.api.allocator.Quota;
import org.mezzo.coordination.Registry;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Consumption;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.quota.QuotaConfig;
import org.mezzo.protocol.v1.quota.QuotaRequest;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/** Rules 257 to 263. */
class QuotasChangeTest {
  private final Given given = new Given();

  private static Map<String, Value.Scalar> amounts(String text) {
    Map<String, Value.Scalar> amounts = new TreeMap<>();
    for (String entry : text.split(";")) {
      if (!entry.isEmpty()) {
        String[] parts = entry.split(":");
        amounts.put(
            parts[0], Value.Scalar.newBuilder().setValue(Double.parseDouble(parts[1])).build());
      }
    }
    return amounts;
  }

  private static QuotaConfig quota(String role, String guarantees, String limits) {
    return QuotaConfig.newBuilder()
        .setRole(role)
        .putAllGuarantees(amounts(guarantees))
        .putAllLimits(amounts(limits))
        .build();
  }

  private static QuotasChange change(QuotaConfig... configs) {
    return new QuotasChange(List.of(configs), false);
  }

  private static QuotasChange forced(QuotaConfig... configs) {
    return new QuotasChange(List.of(configs), true);
  }

  private static QuotaSetting setting(String role, boolean force, String guarantee) {
    return new QuotaSetting(
        QuotaRequest.newBuilder()
            .setRole(role)
            .setForce(force)
            .addAllGuarantee(
                Given.resources(guarantee).toMessages(Resources.Format.POST_REFINEMENT))
            .build());
  }

  private void begin(PolicyChange change) {
    given.run(
        tx -> {
          assertThat(Policies.refusal(tx, change)).isEmpty();
          assertThat(change.conflict(tx.state())).isEmpty();
          Policies.change(tx, change, done -> {}, (later, why) -> {});
        });
  }

  private void make(PolicyChange change) {
    begin(change);
    given.stored();
  }

  private Optional<String> refusal(PolicyChange change) {
    List<Optional<Refusal>> seen = new ArrayList<>();
    given.run(tx -> seen.add(Policies.refusal(tx, change)));
    seen.get(0).ifPresent(it -> assertThat(it.status()).isEqualTo(400));
    return seen.get(0).map(Refusal::text);
  }

  private static Quota expected(String guarantees, String limits) {
    return new Quota(Quantities.parse(guarantees), Quantities.parse(limits));
  }

  static Stream<Arguments> bad() {
    String start = "Invalid QuotaConfig: ";
    return Stream.of(
        Arguments.of(quota("other", "", "cpus:1"), start + "'other' is not on the roles whitelist"),
        Arguments.of(
            quota("r/s", "", "cpus:1"), "Updating quota on nested role 'r/s' is not supported yet"),
        Arguments.of(
            quota("b b", "", "cpus:1"),
            start
                + "Invalid 'QuotaConfig.role': Role 'b b' cannot contain white space or control"
                + " characters"),
        Arguments.of(
            quota("r", "", "cpus:-1"),
            start
                + "Invalid limit configuration {'cpus': -1.0}: values less than 0 are not"
                + " supported"),
        Arguments.of(
            quota("r", "cpus:NaN", ""),
            start + "Invalid guarantee configuration {'cpus': NaN}: it has to be a finite number"),
        Arguments.of(
            quota("r", "", "cpus:Infinity"),
            start + "Invalid limit configuration {'cpus': Infinity}: it has to be a finite number"),
        Arguments.of(
            quota("r", "", "mem:1099511627777"),
            start
                + "Invalid limit configuration {'mem': 1.099511627777E12}: values greater than 1"
                + " exabyte (1099511627776) are not supported"),
        Arguments.of(
            quota("r", "gpus:1000000000001", ""),
            start
                + "Invalid guarantee configuration {'gpus': 1.000000000001E12}: values greater"
                + " than 1 trillion (1000000000000) are not supported"),
        Arguments.of(
            quota("r", "cpus:2;mem:5", "cpus:1"),
            start
                + "'QuotaConfig.guarantees' 'cpus:2; mem:5' is not contained within the"
                + " 'QuotaConfig.limits' 'cpus:1'"),
        Arguments.of(
            quota("r", "cpus:2000", ""),
            start
                + "total quota guarantees 'cpus:2000' exceed cluster capacity 'cpus:4; mem:1000'"
                + " (use 'force' flag to bypass this check)"));
  }

  @ParameterizedTest
  @MethodSource("bad")
  void oneBadQuotaSpoilsAll(QuotaConfig bad, String text) {
    given.agentOn(1, "cpus:4;mem:1000;ports:[1-5]");
    given.settings(
        it ->
            it.with(
                new Settings.Frameworks(
                    Duration.ofSeconds(15),
                    Optional.of(Set.of("r", "r/s", "b b")),
                    true,
                    Optional.empty())));
    QuotaConfig good = quota("*", "", "cpus:1;mem:1099511627776;gpus:1000000000000");
    assertThat(refusal(change(good))).isEmpty();
    assertThat(refusal(change(good, bad))).contains(text);
    if (text.contains("'force' flag")) {
      assertThat(refusal(forced(good, bad))).isEmpty();
    } else {
      assertThat(refusal(forced(good, bad))).contains(text);
    }
  }

  @Test
  void guaranteesOfAllRolesCountTogetherAndWithWhatIsUnderWay() {
    given.agentOn(1, "cpus:4");
    given.agentOn(2, "cpus:4");
    begin(change(quota("a", "cpus:5", "")));
    assertThat(refusal(change(quota("b", "cpus:3", "")))).isEmpty();
    assertThat(refusal(change(quota("b", "cpus:3.001", "")))).isPresent();
    assertThat(refusal(change(quota("a", "cpus:4", ""), quota("b", "cpus:4", "")))).isEmpty();
  }

  @Test
  void whatTheSubtreeConsumesIsNotCutOffUnlessForced() {
    String agent = given.agentOn(1, "cpus:4;mem:1000");
    given.running(given.subscribed("a/b"), agent, "t", "cpus:2;mem:100");
    assertThat(refusal(change(quota("a", "", "cpus:2;mem:100;gpus:0")))).isEmpty();
    assertThat(refusal(change(quota("a", "", "cpus:1"))))
        .contains(
            "Invalid QuotaConfig: Role 'a' is already consuming 'cpus:2; mem:100'; this violates"
                + " the requested quota limits 'cpus:1' (use 'force' flag to bypass this check)");
    assertThat(refusal(forced(quota("a", "", "cpus:1")))).isEmpty();
    assertThat(refusal(change(quota("b", "", "cpus:1")))).isEmpty();
  }

  /** Rule 258. */
  @Test
  void unusedReservationsAreConsumedAndOffersAreNot() throws Exception {
    String agent = given.agentOn(1, "cpus:4;mem:1000;cpus(a/x):3");
    String framework = given.subscribed("a/x");
    given.running(framework, agent, "t", "cpus(a/x):1;mem:100");
    given.offer(framework, agent, "cpus:2");
    assertThat(Consumption.of(given.state()))
        .isEqualTo(
            Map.of(
                "a", Quantities.parse("cpus:3;mem:100"),
                "a/x", Quantities.parse("cpus:3;mem:100")));
  }

  /** Rule 259. */
  @Test
  void rolesChangeTogetherAndEmptyOnesAreNone() throws Exception {
    given.agentOn(1, "cpus:4");
    begin(change(quota("a", "cpus:1;mem:0", "cpus:2;mem:0"), quota("b", "", "cpus:3")));
    Registry.Change stored = given.only(Effect.Store.class).changes().get(0);
    assertThat(given.state().quotas()).isEmpty();
    given.stored();
    assertThat(given.state().quotas())
        .isEqualTo(Map.of("a", expected("cpus:1", "cpus:2;mem:0"), "b", expected("", "cpus:3")));
    assertThat(given.toldAllocator()).containsExactly("quotasUpdated");
    assertThat(given.only(Effect.Tell.class).voids()).isTrue();
    assertThat(
            PolicyRegistry.recover(new Given().state(), Map.of(stored.key(), stored.value()))
                .policy())
        .isEqualTo(given.state().policy());

    make(change(quota("a", "", ""), quota("b", "cpus:0", "")));
    assertThat(given.state().quotas()).isEmpty();
  }

  private List<String> left() {
    return given.state().offers().values().stream().map(Offer::id).sorted().toList();
  }

  /** Rule 260. */
  @Test
  void ownOffersBeyondTheLimitAreRescinded() {
    String agent = given.agentOn(1, "cpus:10;mem:1000");
    String own = given.subscribed("a/b");
    given.running(own, agent, "t", "cpus:1");
    given.offer(own, agent, "mem:100");
    Offer first = given.offer(own, agent, "cpus:2");
    given.later(Duration.ofSeconds(1));
    given.offer(own, agent, "cpus:2");
    given.offer(given.subscribed("other"), agent, "cpus:2");
    make(change(quota("a", "", "cpus:4")));
    assertThat(left()).hasSize(3).doesNotContain(first.id());
    assertThat(given.typesTo(own)).hasSize(1);
  }

  /** Rule 260. */
  @Test
  void offersOfOthersAreRescindedUntilTheGuaranteeIsCovered() {
    String agent = given.agentOn(1, "cpus:10;mem:1000");
    String own = given.subscribed("a");
    String other = given.subscribed("other");
    given.running(own, agent, "t", "cpus:1");
    Offer mine = given.offer(own, agent, "cpus:1");
    Offer useless = given.offer(other, agent, "mem:10");
    Offer first = given.offer(other, agent, "cpus:1");
    given.later(Duration.ofSeconds(1));
    Offer second = given.offer(other, agent, "cpus:2");
    given.later(Duration.ofSeconds(1));
    Offer third = given.offer(other, agent, "cpus:2");
    make(change(quota("a", "cpus:4", "")));
    assertThat(left()).containsExactlyInAnyOrder(mine.id(), useless.id(), third.id());
    assertThat(given.typesTo(other)).hasSize(2);
    assertThat(first.id()).isNotEqualTo(second.id());
  }

  static Stream<Arguments> badOfOld() {
    String start = "Failed to validate set quota request: ";
    QuotaRequest.Builder request = setting("r", false, "cpus:1").request().toBuilder();
    return Stream.of(
        Arguments.of(
            request.clone().setRole("").build(),
            start + "QuotaInfo with invalid role: Role names cannot be the empty string"),
        Arguments.of(
            request.clone().clearGuarantee().build(), start + "QuotaInfo with empty 'guarantee'"),
        Arguments.of(
            setting("r", false, "ports:[1-2]").request(),
            start + "QuotaInfo must not include non-scalar resources"),
        Arguments.of(
            setting("r", false, "cpus(x):1").request(),
            start + "QuotaInfo must not contain any ReservationInfo"),
        Arguments.of(
            request.clone().addGuarantee(request.getGuarantee(0)).build(),
            start + "QuotaInfo contains duplicate resource name 'cpus'"),
        Arguments.of(request.clone().setRole("other").build(), start + "Unknown role 'other'"),
        Arguments.of(
            request.clone().setRole("has").build(),
            start + "Cannot set quota for role 'has' which already has quota"),
        Arguments.of(
            request.clone().setRole("r/s").build(),
            "Setting quota on nested role 'r/s' is not supported yet"));
  }

  /** Rule 261. */
  @ParameterizedTest
  @MethodSource("badOfOld")
  void whatIsWrongInTheFormOfOld(QuotaRequest request, String text) {
    given.agentOn(1, "cpus:4");
    make(change(quota("has", "", "cpus:1")));
    given.settings(
        it ->
            it.with(
                new Settings.Frameworks(
                    Duration.ofSeconds(15),
                    Optional.of(Set.of("r", "r/s", "has")),
                    true,
                    Optional.empty())));
    assertThat(refusal(new QuotaSetting(request))).contains(text);
    assertThat(refusal(setting("r", false, "cpus:1"))).isEmpty();
  }

  @Test
  void theFormOfOldConflictsWithACapacityThatIsTooSmall() {
    given.agentOn(1, "cpus:4");
    assertThat(setting("r", false, "cpus:5").conflict(given.state()))
        .contains(
            new Refusal(
                409,
                "Quota guarantees overcommit the cluster (use 'force' to bypass this check): total"
                    + " quota guarantees 'cpus:5' exceed cluster capacity 'cpus:4'"));
    make(setting("r", true, "cpus:5"));
    assertThat(given.state().quotas()).isEqualTo(Map.of("r", expected("cpus:5", "cpus:5")));
  }

  /** Rule 262. */
  @Test
  void theFormOfOldRescindsAgentByAgent() {
    String first = given.agentOn(1, "cpus:10");
    String second = given.agentOn(2, "cpus:10");
    String third = given.agentOn(3, "cpus:10");
    given.subscribed("r");
    given.subscribed("r");
    String other = given.subscribed("other");
    given.offer(other, first, "cpus:3");
    given.offer(other, first, "cpus:3");
    given.offer(other, second, "cpus:3");
    Offer last = given.offer(other, third, "cpus:3");
    make(setting("r", false, "cpus:1"));
    assertThat(left()).containsExactly(last.id());
  }

  /** Rule 263. */
  @Test
  void onlyWhatIsThereIsRemoved() {
    given.agentOn(1, "cpus:4");
    make(change(quota("a", "", "cpus:1"), quota("b", "", "cpus:1")));
    assertThat(refusal(new QuotaRemoval("q", " for path '/master/quota/q'")))
        .contains("Failed to remove quota for path '/master/quota/q': Role 'q' has no quota set");
    make(new QuotaRemoval("a", ""));
    assertThat(given.state().quotas()).containsOnlyKeys("b");
    assertThat(given.toldAllocator()).containsExactly("quotasUpdated");
    begin(new QuotaRemoval("b", ""));
    assertThat(refusal(new QuotaRemoval("b", ""))).isPresent();
  }
}

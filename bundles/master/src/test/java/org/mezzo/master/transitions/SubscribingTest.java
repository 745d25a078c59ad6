package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.master.state.Identifiers;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.OfferFilters;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/** What can be judged of a subscription without any state, and in which order (rules 27 to 29). */
class SubscribingTest {
  private final Given given = new Given();

  private static Subscribing said(FrameworkInfo.Builder info, String... suppressed) {
    return Subscribing.of(info.build(), List.of(suppressed), OfferConstraints.getDefaultInstance());
  }

  private static Optional<String> problem(FrameworkInfo.Builder info) {
    return said(info).problem();
  }

  private String error(Subscribing request) {
    given.run(tx -> Frameworks.subscribe(tx, request, "s", Optional.of("Not allowed")));
    assertThat(given.state().frameworks()).isEmpty();
    return given.sentOn("s").get(0).getError().getMessage();
  }

  /** Rule 28. */
  @Test
  void oneRoleOrManyDependsOnTheCapability() {
    FrameworkInfo.Builder single = FrameworkInfo.newBuilder().setUser("u").setName("f");
    assertThat(problem(single)).isEmpty();
    assertThat(said(single).subscription().roles()).containsExactly("*");
    assertThat(said(single.setRole("r")).subscription().roles()).containsExactly("r");
    assertThat(problem(single.clone().addRoles("r")).orElseThrow())
        .contains("must not be set when the framework is not MULTI_ROLE");
    assertThat(problem(Given.info())).isEmpty();
    assertThat(problem(Given.info("r").setRole("r")).orElseThrow())
        .contains("must not be set when the framework is MULTI_ROLE");
    assertThat(problem(Given.info("r", "r")).orElseThrow()).contains("duplicate items: r");
  }

  /** Rule 29. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "/a", "a/", "a//b", ".", "a/..", "a/*", "-a", "a b", "a\tb", "a\u000b", "\u007f"
      })
  void roleNamesThatAreNone(String role) {
    assertThat(Roles.problem(role)).isPresent();
    assertThat(problem(Given.info("ok", role)).orElseThrow()).contains("invalid role");
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "a", "eng/dev-1", "a-", "a.b", "..."})
  void roleNames(String role) {
    assertThat(Roles.problem(role)).isEmpty();
  }

  /** Rule 74 is that of every id. */
  @Test
  void ids() {
    assertThat(Identifiers.problem("a b.c")).isEmpty();
    for (String bad : List.of("", ".", "..", "x".repeat(256), "a/b", "a\\b", "a\u0001")) {
      assertThat(Identifiers.problem(bad)).as(bad).isPresent();
    }
    assertThat(Identifiers.problem("x".repeat(255))).isEmpty();
  }

  @Test
  void filtersAndTimeoutsAreNumbers() {
    for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      FrameworkInfo.Builder info = Given.info("r");
      OfferFilters.ResourceQuantities quantities =
          OfferFilters.ResourceQuantities.newBuilder()
              .putQuantities("cpus", Value.Scalar.newBuilder().setValue(bad).build())
              .build();
      info.putOfferFilters(
          "r",
          OfferFilters.newBuilder()
              .setMinAllocatableResources(
                  OfferFilters.MinAllocatableResources.newBuilder().addQuantities(quantities))
              .build());
      assertThat(problem(info).orElseThrow()).startsWith("Invalid resource quantity for 'cpus'");
    }
    assertThat(problem(Given.info("r").setFailoverTimeout(1e10)).orElseThrow())
        .contains("failover_timeout");
    assertThat(problem(Given.info("r").setFailoverTimeout(Double.NaN))).isPresent();
  }

  /** Rule 27: what is named first is what is told. */
  @Test
  void theOrderOfWhatIsWrong() {
    given.settings(
        it ->
            it.with(
                new Settings.Frameworks(
                    it.frameworks().heartbeatInterval(),
                    Optional.of(Set.of("r")),
                    false,
                    Optional.empty())));
    FrameworkInfo.Builder info =
        Given.info("a b", "x")
            .setId(FrameworkID.newBuilder().setValue("a/b"))
            .setFailoverTimeout(1e10)
            .setUser("root");
    assertThat(error(said(info, "strange"))).contains("invalid role");
    info.clearRoles().addRoles("x");
    assertThat(error(said(info, "strange"))).contains("invalid characters");
    info.clearId();
    assertThat(error(said(info, "strange"))).contains("failover_timeout");
    info.clearFailoverTimeout();
    assertThat(error(said(info, "strange")))
        .isEqualTo("Roles { x } are not present in the master's --roles");
    info.clearRoles().addRoles("r");
    assertThat(error(said(info, "strange"))).contains("--root_submissions");
    info.setUser("toor");
    assertThat(error(said(info, "strange").asRoot()))
        .isEqualTo("User 'toor' is not allowed to run frameworks without --root_submissions set");
    assertThat(error(said(info, "strange")))
        .isEqualTo("Suppressed roles { strange } are not contained in the set of roles");
    assertThat(error(said(info))).isEqualTo("Not allowed");
  }
}

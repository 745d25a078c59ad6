package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.mezzo.protocol.v1.WeightInfo;
import org.mezzo.protocol.v1.scheduler.Event;

/** Rules 265 and 266. */
class WeightsChangeTest {
  private final Given given = new Given();

  private static WeightInfo weight(String role, double weight) {
    return WeightInfo.newBuilder().setRole(role).setWeight(weight).build();
  }

  private static WeightsChange change(WeightInfo... weights) {
    return new WeightsChange(List.of(weights));
  }

  private void make(WeightsChange change) {
    given.run(
        tx -> {
          assertThat(Policies.refusal(tx, change)).isEmpty();
          Policies.change(tx, change, done -> done.count("done"), (later, why) -> later.count(why));
        });
  }

  private Optional<Refusal> refusal(WeightsChange change) {
    List<Optional<Refusal>> seen = new ArrayList<>();
    given.run(tx -> seen.add(Policies.refusal(tx, change)));
    return seen.get(0);
  }

  static Stream<Arguments> bad() {
    String start = "Failed to validate update weights request JSON";
    return Stream.of(
        Arguments.of(
            weight("a b", 1),
            start
                + ": Invalid role 'a b': Role 'a b' cannot contain white space or control"
                + " characters"),
        Arguments.of(
            weight(" ", 1), start + ": Invalid role '': Role names cannot be the empty string"),
        Arguments.of(weight("strange", 1), start + ": Unknown role 'strange'"),
        Arguments.of(
            weight("w", -1),
            start + " for role 'w': Invalid weight '-1': Weights must be positive"),
        Arguments.of(
            weight("w", 0), start + " for role 'w': Invalid weight '0': Weights must be positive"),
        Arguments.of(
            weight("w", -0.5),
            start + " for role 'w': Invalid weight '-0.5': Weights must be positive"),
        Arguments.of(
            weight("w", Double.NaN),
            start + " for role 'w': Invalid weight 'NaN': Weights must be positive"),
        Arguments.of(
            weight("w", Double.POSITIVE_INFINITY),
            start
                + " for role 'w': Invalid weight 'Infinity': Weights must be positive and"
                + " finite"));
  }

  @ParameterizedTest
  @MethodSource("bad")
  void oneBadWeightSpoilsAll(WeightInfo bad, String text) {
    given.settings(
        it ->
            it.with(
                new Settings.Frameworks(
                    Duration.ofSeconds(15), Optional.of(Set.of("w")), true, Optional.empty())));
    assertThat(refusal(change(weight("w", 2), weight("*", 3)))).isEmpty();
    assertThat(refusal(change(weight("w", 2), bad))).contains(new Refusal(400, text));
  }

  @Test
  void whatDoesNotFitIntoTheRegistryIsRefused() {
    List<WeightInfo> many = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      many.add(weight("x".repeat(1_000) + i, 2));
    }
    assertThat(refusal(new WeightsChange(many)).orElseThrow().text())
        .startsWith("The weights of all roles would take 10");
    assertThat(refusal(new WeightsChange(many.subList(0, 900)))).isEmpty();
  }

  @Test
  void countOnceTheyAreDurableAndTheAllocatorIsTold() {
    make(change(weight(" a ", 2), weight("b", 3), weight("b", 4)));
    assertThat(given.state().weights()).isEmpty();
    given.stored();
    assertThat(given.state().weights()).isEqualTo(Map.of("a", 2.0, "b", 4.0));
    assertThat(given.toldAllocator()).containsExactly("weightsUpdated");
    assertThat(given.counted()).containsExactly("done");
  }

  /** Each write has all weights, so that a later one must not forget what is under way. */
  @Test
  void thoseThatOverlapAreAllKept() throws Exception {
    make(change(weight("a", 2)));
    Effect.Store first = given.only(Effect.Store.class);
    make(change(weight("b", 3)));
    Effect.Store second = given.only(Effect.Store.class);
    given.run(first.then());
    assertThat(given.state().weights()).isEqualTo(Map.of("a", 2.0));
    given.run(second.then());
    assertThat(given.state().weights()).isEqualTo(Map.of("a", 2.0, "b", 3.0));
    assertThat(recovered(second).weights()).isEqualTo(given.state().weights());
  }

  @Test
  void whatTheRegistryRefusesIsForgotten() throws Exception {
    make(change(weight("a", 2)));
    given.refused("too large");
    assertThat(given.counted()).containsExactly("too large");
    make(change(weight("b", 3)));
    assertThat(recovered(given.only(Effect.Store.class)).weights()).isEqualTo(Map.of("b", 3.0));
  }

  private static MasterState recovered(Effect.Store store) throws Exception {
    Registry.Change change = store.changes().get(0);
    return PolicyRegistry.recover(
        new Given().state(), Map.of(change.key(), change.value(), "policy/later", new byte[] {1}));
  }

  @Test
  void flagsCountOnlyWhereTheRegistryHasNone() throws Exception {
    Policy flags = Policy.NONE.withWeights(Map.of("a", 5.0, "c", 6.0));
    MasterState begin = given.state().withPolicy(flags, flags);

    MasterState fresh = PolicyRegistry.recover(begin, Map.of());
    assertThat(fresh.policy()).isEqualTo(flags);
    List<Registry.Change> written = PolicyRegistry.missing(fresh.policy(), Map.of());
    assertThat(written).extracting(Registry.Change::key).containsExactly("policy/weights");

    Map<String, byte[]> registry = Map.of("policy/weights", written.get(0).value());
    Policy others = Policy.NONE.withWeights(Map.of("a", 1.0));
    MasterState next = PolicyRegistry.recover(begin.withPolicy(others, others), registry);
    assertThat(next.policy()).isEqualTo(flags);
    assertThat(next.nextPolicy()).isEqualTo(flags);
    assertThat(PolicyRegistry.missing(next.policy(), registry)).isEmpty();
    assertThat(PolicyRegistry.missing(Policy.NONE, Map.of())).isEmpty();
  }

  @Test
  void everyOfferIsRescindedIfOneOfTheRolesIsInUse() {
    String agent = given.agentOn(1, "cpus:4");
    String one = given.subscribed("a");
    String other = given.subscribed("b");
    given.offer(one, agent, "cpus:1");
    given.offer(other, agent, "cpus:1");

    make(change(weight("nobodys", 2)));
    given.stored();
    assertThat(given.state().offers()).hasSize(2);

    make(change(weight("nobodys", 3), weight("b", 2)));
    given.stored();
    assertThat(given.state().offers()).isEmpty();
    assertThat(given.typesTo(one)).containsExactly(Event.Type.RESCIND);
    assertThat(given.typesTo(other)).containsExactly(Event.Type.RESCIND);
    assertThat(given.toldAllocator()).containsExactly("weightsUpdated", "released", "released");
  }

  @Test
  void manyOffersAreRescindedInPortions() {
    String agent = given.agentOn(1, "cpus:500");
    String framework = given.subscribed("a");
    for (int i = 0; i < 250; i++) {
      given.offer(framework, agent, "cpus:1");
    }
    make(change(weight("a", 2)));
    given.stored();
    assertThat(given.state().offers()).hasSize(50);
    given.next();
    assertThat(given.state().offers()).isEmpty();
    assertThat(given.effects(Effect.Next.class)).isEmpty();
  }

  @Test
  void whatIsNoProtobufIsNotRecovered() {
    Map<String, byte[]> registry =
        Map.of("policy/weights", "no message".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> PolicyRegistry.recover(given.state(), registry))
        .isInstanceOf(InvalidProtocolBufferException.class);
  }
}

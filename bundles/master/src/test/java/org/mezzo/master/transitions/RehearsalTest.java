package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Ping;

class RehearsalTest {
  private final Given given = new Given();
  private final AtomicInteger count = new AtomicInteger();

  private void assertFound(String what, Step step) {
    assertThatThrownBy(() -> given.run(step))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("run twice, it made other " + what);
  }

  @Test
  void aStepThatTouchesItsTransitionOnlyIsFine() {
    String agent = given.agentOn(1, "cpus:1");
    given.run(tx -> Disconnections.disconnected(tx, agent));
    assertThat(given.effects()).isNotEmpty();
  }

  @Test
  void aStepThatGoesOnFromWhereItWasIsFound() {
    assertFound("state", tx -> tx.become(tx.state().undecided("" + count.incrementAndGet(), true)));
    assertFound("effects", tx -> tx.count("" + count.incrementAndGet()));
    assertFound(
        "effects",
        tx ->
            tx.effect(
                new Effect.ToLink(
                    1,
                    MasterEvent.newBuilder()
                        .setPing(Ping.newBuilder().setSequence(count.incrementAndGet())))));
    assertFound("effects", tx -> tx.tell("x", it -> it.agentRemoved("" + count.incrementAndGet())));
    List<String> waiting = new ArrayList<>(List.of("a"));
    assertFound(
        "effects",
        tx -> {
          if (waiting.remove("a")) {
            tx.allocate("a");
          }
        });
  }
}

package org.mezzo.master.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

class LedgerTest {
  private static Resources resources(String text) {
    try {
      return Resources.parse(text, "*");
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static Resources held(String text) {
    return resources(text).allocatedTo("r");
  }

  private static Offer offer(String id, String frameworkId, String agentId, String text) {
    return new Offer(
        id,
        frameworkId,
        agentId,
        "r",
        held(text),
        org.mezzo.protocol.v1.Offer.getDefaultInstance(),
        Instant.EPOCH);
  }

  private static LedgerChange opened(String agentId, String text) {
    return new LedgerChange.Opened(
        agentId, Map.of(Account.AGENT, new Provision(resources(text), "v1")));
  }

  private static LedgerChange provided(String agentId, String text) {
    return new LedgerChange.Provided(agentId, Account.AGENT, new Provision(resources(text), "v2"));
  }

  private static Ledger after(LedgerChange... changes) {
    Ledger ledger = Ledger.EMPTY;
    for (LedgerChange change : changes) {
      ledger = change.apply(ledger);
    }
    return ledger;
  }

  @Test
  void whatIsOfferedIsClaimedAndGivenBack() {
    Offer first = offer("o1", "f", "a", "cpus:1");
    Offer second = offer("o2", "f", "a", "cpus:2");
    Ledger ledger =
        after(
            opened("a", "cpus:4"),
            new LedgerChange.Offered(first),
            new LedgerChange.Offered(second));
    assertThat(ledger.account("a").free()).isEqualTo(resources("cpus:1"));
    assertThat(ledger.offersTo("f")).containsExactlyInAnyOrder("o1", "o2");
    assertThat(ledger.offersFor("r")).containsExactlyInAnyOrder("o1", "o2");

    ledger = new LedgerChange.Claimed(List.of(first, second)).apply(ledger);
    assertThat(ledger.offers()).isEmpty();
    assertThat(ledger.offersFor("r")).isEmpty();
    assertThat(ledger.account("a").free()).isEqualTo(resources("cpus:1"));
    assertThat(ledger.totalAllocatedTo("f")).isEqualTo(held("cpus:3"));

    ledger = new LedgerChange.Released("f", "a", held("cpus:3")).apply(ledger);
    assertThat(ledger.agentsOf("f")).isEmpty();
    assertThat(ledger).isEqualTo(after(opened("a", "cpus:4")));
  }

  /** An agent that shrinks below what is used has no more free later than it has. */
  @Test
  void freeNeverExceedsTheTotal() {
    Ledger ledger =
        after(
            opened("a", "cpus:4"),
            new LedgerChange.Held("f", "a", held("cpus:4")),
            provided("a", "cpus:2"));
    assertThat(ledger.account("a").free().isEmpty()).isTrue();
    ledger = new LedgerChange.Released("f", "a", held("cpus:1")).apply(ledger);
    assertThat(ledger.account("a").free().isEmpty()).isTrue();
    ledger = new LedgerChange.Released("f", "a", held("cpus:3")).apply(ledger);
    assertThat(ledger.account("a").free()).isEqualTo(resources("cpus:2"));
    assertThat(ledger.account("a").version()).isEqualTo("v2");
  }

  @Test
  void totalAndHeldAreConvertedTogether() throws ResourceFormatException {
    Ledger ledger =
        after(opened("a", "cpus:4;mem:8"), new LedgerChange.Held("f", "a", held("cpus:3")));
    Resources reserved = Resources.parse("cpus(r):2", "*");
    ledger =
        new LedgerChange.Converted(
                "f", "a", Account.AGENT, "v2", held("cpus:2"), reserved.allocatedTo("r"))
            .apply(ledger);
    Account account = ledger.account("a");
    assertThat(account.total()).isEqualTo(resources("cpus:2;mem:8").plus(reserved));
    assertThat(account.allocatedTo("f")).isEqualTo(held("cpus:1").plus(reserved.allocatedTo("r")));
    assertThat(account.free()).isEqualTo(resources("cpus:1;mem:8"));
    assertThat(account.version()).isEqualTo("v2");
  }

  @Test
  void whatIsFreeIsConverted() throws ResourceFormatException {
    Resources reserved = Resources.parse("cpus(r):1", "*");
    Ledger ledger =
        after(
            opened("a", "cpus:2"),
            new LedgerChange.Converted(
                "", "a", Account.AGENT, "v2", resources("cpus:1"), reserved));
    assertThat(ledger.account("a").free()).isEqualTo(resources("cpus:1").plus(reserved));
  }

  @Test
  void whatCannotHaveHappenedIsRefused() {
    Ledger ledger = after(opened("a", "cpus:2"), new LedgerChange.Held("f", "a", held("cpus:1")));
    Offer large = offer("o", "f", "a", "cpus:2");
    for (LedgerChange change :
        List.of(
            opened("a", "cpus:1"),
            provided("b", "cpus:1"),
            new LedgerChange.Closed("b"),
            new LedgerChange.Offered(large),
            new LedgerChange.Withdrawn(large),
            new LedgerChange.Claimed(List.of(large)),
            new LedgerChange.Held("f", "b", held("cpus:1")),
            new LedgerChange.Released("f", "a", held("cpus:2")),
            new LedgerChange.Released("g", "a", held("cpus:1")),
            new LedgerChange.Converted(
                "", "a", Account.AGENT, "v", resources("cpus:2"), resources("mem:1")),
            new LedgerChange.Converted("f", "a", Account.AGENT, "v", held("cpus:2"), held("mem:1")),
            new LedgerChange.Converted(
                "", "a", "other", "v", resources("cpus:1"), resources("mem:1")))) {
      assertThatThrownBy(() -> change.apply(ledger))
          .as("%s", change)
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void anAgentLeavesWithWhatWasHeldThere() {
    Ledger ledger =
        after(
            opened("a", "cpus:2"),
            opened("b", "cpus:2"),
            new LedgerChange.Held("f", "a", held("cpus:1")),
            new LedgerChange.Held("f", "b", held("cpus:1")),
            new LedgerChange.Closed("a"));
    assertThat(ledger.allocatedTo("f")).containsOnlyKeys("b");
    assertThat(ledger.account("a").total().isEmpty()).isTrue();
  }
}

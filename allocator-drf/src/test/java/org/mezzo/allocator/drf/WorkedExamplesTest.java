package org.mezzo.allocator.drf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mezzo.allocator.drf.Driver.resources;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.api.allocator.Recovery;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/** Examples computed by hand, agents visited in name order. */
class WorkedExamplesTest {

  @Test
  void dominantResourceFairness() {
    Driver driver = new Driver().agents("cpus:9;mem:18432", "S1").frameworks("A", "B");
    Map<String, Resources> task =
        Map.of("A", resources("cpus:1;mem:4096"), "B", resources("cpus:3;mem:1024"));
    List<String> expected =
        List.of(
            "A@S1 cpus:9.0 mem:18432.0",
            "B@S1 cpus:8.0 mem:14336.0",
            "A@S1 cpus:5.0 mem:13312.0",
            "B@S1 cpus:4.0 mem:9216.0",
            "A@S1 cpus:1.0 mem:8192.0");
    for (String offer : expected) {
      List<Proposal> proposals = driver.allocate();
      assertThat(proposals).extracting(Driver::show).containsExactly(offer);
      Proposal proposal = proposals.get(0);
      driver.release(
          proposal, proposal.resources().unallocated().minus(task.get(proposal.frameworkId())));
    }
    assertThat(driver.offers()).containsExactly("B@S1 mem:4096.0");
  }

  @Test
  void weights() {
    Driver driver =
        new Driver()
            .agents("cpus:1;mem:1024", "S1", "S2", "S3", "S4", "S5", "S6")
            .frameworks("A", "B");
    driver.allocator.weightsUpdated(Map.of("B", 2.0));
    assertThat(driver.allocate())
        .extracting(p -> p.agentId() + " " + p.frameworkId())
        .containsExactly("S1 A", "S2 B", "S3 B", "S4 A", "S5 B", "S6 B");
  }

  @Test
  void hierarchy() {
    Driver driver =
        new Driver()
            .agents("cpus:1;mem:1024", "S1", "S2", "S3", "S4")
            .frameworks("eng/a", "eng/b", "ops");
    assertThat(driver.allocate())
        .extracting(p -> p.agentId() + " " + p.frameworkId())
        .containsExactly("S1 eng/a", "S2 ops", "S3 eng/b", "S4 ops");
  }

  @Test
  void guaranteeOfARoleWithoutFrameworks() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1", "S2").frameworks("R");
    driver.quota("Q", "cpus:4;mem:1024", "");
    assertThat(driver.offers()).containsExactly("R@S1 cpus:4.0 mem:4096.0", "R@S2 mem:3072.0");
  }

  @Test
  void guaranteeWithoutLimit() {
    Driver driver = new Driver().agents("cpus:8;mem:8192", "S1").frameworks("Q", "R");
    driver.quota("Q", "cpus:4;mem:1024", "");
    assertThat(driver.offers()).containsExactly("Q@S1 cpus:8.0 mem:8192.0");
  }

  @Test
  void guaranteeEqualToLimit() {
    Driver driver = new Driver().agents("cpus:8;mem:8192", "S1").frameworks("Q", "R");
    driver.quota("Q", "cpus:4;mem:1024", "cpus:4;mem:1024");
    assertThat(driver.offers())
        .containsExactly("Q@S1 cpus:4.0 mem:1024.0", "R@S1 cpus:4.0 mem:7168.0");
  }

  @Test
  void limitOnly() {
    Driver driver = new Driver().agents("cpus:8;mem:8192", "S1", "S2").frameworks("Q", "R");
    driver.quota("Q", "", "cpus:2");
    assertThat(driver.offers())
        .containsExactly("Q@S1 cpus:2.0 mem:8192.0", "R@S1 cpus:6.0", "R@S2 cpus:8.0 mem:8192.0");
  }

  @Test
  void twoGuarantees() {
    Driver driver =
        new Driver().agents("cpus:4;mem:4096", "S1", "S2", "S3").frameworks("P", "Q", "R");
    driver.quota("P", "cpus:2", "cpus:2;mem:2048");
    driver.quota("Q", "cpus:6", "");
    assertThat(driver.offers())
        .containsExactly(
            "P@S1 cpus:2.0 mem:2048.0",
            "Q@S1 cpus:2.0 mem:2048.0",
            "Q@S2 cpus:4.0 mem:4096.0",
            "R@S3 cpus:4.0 mem:4096.0");
  }

  @ParameterizedTest
  @ValueSource(longs = {59, 60})
  void aLargerOfferEscapesTheFilter(long seconds) {
    Driver driver = new Driver().agents("cpus:5;mem:5120", "S1").frameworks("E");
    Proposal task = driver.allocate().get(0);
    driver.release(task, resources("cpus:4;mem:4096"));
    driver.allocator.frameworkUpdated(
        Driver.framework("E", true, java.util.Set.of("E"), java.util.Set.of("MULTI_ROLE"), "E"));
    driver.frameworks("F");
    Proposal offer = driver.allocate().get(0);
    assertThat(Driver.show(offer)).isEqualTo("F@S1 cpus:4.0 mem:4096.0");
    driver.decline(offer, Duration.ofSeconds(60));
    assertThat(driver.offers()).isEmpty();
    if (seconds < 60) {
      driver.pass(Duration.ofSeconds(seconds));
      assertThat(driver.offers()).isEmpty();
      driver.release(task, resources("cpus:1;mem:1024"));
      assertThat(driver.offers()).containsExactly("F@S1 cpus:5.0 mem:5120.0");
    } else {
      driver.pass(Duration.ofSeconds(seconds));
      assertThat(driver.offers()).containsExactly("F@S1 cpus:4.0 mem:4096.0");
    }
  }

  private Driver recovering(int known, boolean quota) {
    return recovering(new Driver(), known, quota);
  }

  private Driver recovering(Driver driver, int known, boolean quota) {
    driver.frameworks("R");
    if (quota) {
      driver.quota("Q", "cpus:1", "");
    }
    driver.allocator.recovered(Recovery.builder(known, driver.now).build());
    return driver;
  }

  @Test
  void thePauseAfterAChangeOfLeader() {
    Driver driver = recovering(10, true);
    for (int i = 1; i <= 7; i++) {
      driver.agents("cpus:4;mem:4096", "S" + i);
      assertThat(driver.offers()).isEmpty();
    }
    driver.agents("cpus:4;mem:4096", "S8");
    assertThat(driver.offers()).hasSize(8);
    driver.allocator.agentRemoved("S8");
    driver.agents("cpus:4;mem:4096", "S9");
    assertThat(driver.offers()).as("it is over for good").hasSize(1);
  }

  @Test
  void thePauseEndsAfterTenMinutes() {
    Driver driver = recovering(10, true).agents("cpus:4;mem:4096", "S1");
    driver.pass(Duration.ofMinutes(10).minusMillis(1));
    assertThat(driver.offers()).isEmpty();
    driver.pass(Duration.ofMillis(1));
    assertThat(driver.offers()).hasSize(1);
  }

  @Test
  void theOperatorSaysHowManyAndHowLongToWaitFor() {
    AllocatorOptions options =
        AllocatorOptions.builder()
            .recoveryFactor(0.25)
            .recoveryTimeout(Duration.ofMinutes(2))
            .build();
    Driver driver = recovering(new Driver(options), 10, true).agents("cpus:4;mem:4096", "S1");
    assertThat(driver.offers()).isEmpty();
    assertThat(driver.agents("cpus:4;mem:4096", "S2").offers()).as("int(2.5) are back").hasSize(2);
    Driver late = recovering(new Driver(options), 10, true).agents("cpus:4;mem:4096", "S1");
    late.pass(Duration.ofMinutes(2).minusMillis(1));
    assertThat(late.offers()).isEmpty();
    late.pass(Duration.ofMillis(1));
    assertThat(late.offers()).hasSize(1);
  }

  @Test
  void noPauseForOneAgentOrWithoutQuota() {
    assertThat(recovering(1, true).agents("cpus:4;mem:4096", "S1").offers()).hasSize(1);
    assertThat(recovering(10, false).agents("cpus:4;mem:4096", "S1").offers()).hasSize(1);
  }

  @Test
  void aSuccessorGoesOnWithThePause() {
    Driver before = new Driver();
    AllocationState state =
        AllocationState.builder()
            .frameworks(List.of(Driver.framework("R", "R")))
            .agents(List.of(Driver.agent("S1", "cpus:4;mem:4096")))
            .quotas(Map.of("Q", new Quota(Quantities.parse("cpus:1"), Quantities.EMPTY)))
            .recovery(Optional.of(Recovery.builder(10, before.now).build()))
            .build();
    Driver driver = new Driver(AllocatorOptions.builder().build(), state);
    assertThat(driver.offers()).isEmpty();
    driver.pass(Duration.ofMinutes(10));
    assertThat(driver.offers()).hasSize(1);
  }
}

package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.greeting.Greeter;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.modules.MoodyGreeter;
import org.mezzo.deployment.modules.SpeechlessGreeter;
import org.mezzo.deployment.modules.StageFrightGreeter;
import org.mezzo.modules.ModuleLeases.Expectation;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.testing.bundles.ModuleBundle;

/** What comes with a host rehearses at its first boot, before daemons open it. */
@Timeout(60)
final class FirstBootTest extends DeploymentsInFramework {
  @AfterEach
  void forgetMood() {
    System.clearProperty(MoodyGreeter.MOOD);
  }

  /** A host has run, and there is something to go back to. */
  private String boot(String version) throws Exception {
    String digest = BundleStore.digest(good(version, "greeter.jar"));
    deploy();
    await(() -> holder().equals(version));
    awaitPassed(digest);
    return digest;
  }

  private void awaitPassed(String digest) {
    await(() -> journal().contains("\tPASSED\t" + digest));
  }

  private long rehearsals() throws Exception {
    return journal().lines().filter(line -> line.contains("\tREHEARSING\t")).count();
  }

  /** The same folder with another distribution's jar, and a process over it. */
  private String upgrade(ModuleBundle bundle) throws Exception {
    halt();
    String digest = BundleStore.digest(bundle.build(modules.resolve("greeter.jar")));
    reboot();
    return digest;
  }

  @Test
  void aNewVersionRehearsesOnceAndBootsWithItCostNothing() throws Exception {
    boot("1.0.0");
    assertThat(rehearsals()).isEqualTo(1);
    restart();
    await(() -> holder().equals("1.0.0"));
    assertThat(rehearsals()).isEqualTo(1);
    halt();
    String next = BundleStore.digest(good("2.0.0", "greeter.jar"));
    reboot();
    await(() -> holder().equals("2.0.0"));
    assertThat(journal()).contains("\tREHEARSING\t" + next);
    awaitPassed(next);
    assertThat(rehearsals()).isEqualTo(2);
    restart();
    await(() -> holder().equals("2.0.0"));
    assertThat(rehearsals()).isEqualTo(2);
  }

  @Test
  void whatFailsWhenItRehearsesAtItsFirstBootGivesWayToWhatWasGood() throws Exception {
    boot("1.0.0");
    String bad = upgrade(greeter("2.0.0", StageFrightGreeter.class));
    await(() -> holder().equals("1.0.0"));
    await(() -> only().problem().contains("2.0.0 in greeter.jar was refused: "));
    Verdict verdict = deployments.verdicts().get(0);
    assertThat(verdict.digest()).isEqualTo(bad);
    assertThat(verdict.kind()).isEqualTo(Verdict.Kind.REFUSED);
    assertThat(verdict.reason())
        .contains("greeter 'polite' failed when it rehearsed for master: stage fright in ");
    assertThat(deployments.history())
        .extracting(Action::outcome)
        .anyMatch(it -> it.contains("; 1.0.0, the last that was good, runs instead"));
    await(() -> installed().equals(List.of("greeter 1.0.0")));
    assertThat(dir.resolve("state/rehearsal")).isEmptyDirectory();

    restart();
    await(() -> holder().equals("1.0.0"));
    assertThat(deployments.verdicts()).hasSize(1);
    assertThat(only().problem()).contains("2.0.0 in greeter.jar was refused: ");
  }

  @Test
  void theSameVersionWithOtherContentGivesWayToo() throws Exception {
    boot("1.0.0");
    upgrade(greeter("1.0.0", StageFrightGreeter.class));
    await(() -> holder().equals("1.0.0"));
    await(() -> deployments.verdicts().size() == 1);
    assertThat(content()).isEqualTo("1.0.0");
  }

  @Test
  void whatDoesNotEndWhenItRehearsesGivesWayToo() throws Exception {
    boot("1.0.0");
    startMillis = 2000;
    upgrade(greeter("2.0.0", SpeechlessGreeter.class));
    await(() -> holder().equals("1.0.0"));
    Verdict verdict = deployments.verdicts().get(0);
    assertThat(verdict.kind()).isEqualTo(Verdict.Kind.HUNG);
    assertThat(verdict.reason()).contains("has not returned from being rehearsed within 2000 ms");
    await(() -> installed().equals(List.of("greeter 1.0.0")));
  }

  @Test
  void whereNothingWasGoodBeforeItIsSaidAndTriedAgain() throws Exception {
    greeter("1.0.0", MoodyGreeter.class).build(modules.resolve("greeter.jar"));
    deploy();
    await(() -> only().state().equals("failed"));
    assertThat(only().problem())
        .isEqualTo("greeter 'polite' failed when it rehearsed for master: not in the mood");
    Action failed = deployments.history().get(0);
    assertThat(failed.succeeded()).isFalse();
    assertThat(failed.outcome())
        .contains("not in the mood; no other version was good before that could run instead.");
    assertThat(deployments.verdicts()).isEmpty();
    assertThat(holder()).isEmpty();

    System.setProperty(MoodyGreeter.MOOD, "good");
    await(() -> holder().equals("1.0.0"));
    await(() -> only().state().equals("active"));
    assertThat(only().problem()).isEmpty();
    assertThat(deployments.history().stream().filter(it -> !it.succeeded())).hasSize(1);
  }

  @Test
  void whatTakesTheProcessDownWhenItRehearsesIsSkippedAndWhatWasGoodRuns() throws Exception {
    // Being opened as well, so that the mark of the rehearsal tells which of them it was.
    ModuleBundle.of("also", "1.0.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
        .module(SpeechlessGreeter.class, Greeter.class, "greeter", "also")
        .build(modules.resolve("also.jar"));
    boot("1.0.0");
    String next = upgrade(greeter("2.0.0", MoodyGreeter.class));
    await(() -> journal().contains("\tREHEARSING\t" + next));
    Path left = cutAfter(leftNow(), "\tREHEARSING\t" + next);
    restartAfterKill(left);
    await(() -> holder().equals("1.0.0"));
    assertThat(deployments.verdicts()).extracting(Verdict::digest).containsExactly(next);
    assertThat(deployments.verdicts().get(0).kind()).isEqualTo(Verdict.Kind.FATAL);
    assertThat(running()).containsExactly("also 1.0.0", "greeter 1.0.0");
    restart();
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void whatADaemonWillUseSometimeRehearsesForItAtOnce() throws Exception {
    boot("1.0.0");
    ModuleBundle.of("standby", "1.0.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
        .module(StageFrightGreeter.class, Greeter.class, "greeter", "later")
        .build(modules.resolve("standby.jar"));
    await(() -> running().contains("standby 1.0.0"));
    DaemonContext standby = LocalModules.daemon("standby", DaemonContext.Role.MASTER, dir);
    try (Expectation expected = leases.expect(standby, "greeter", "later")) {
      await(
          () -> problem("standby").contains("failed when it rehearsed for standby: stage fright"));
      assertThat(expected).isNotNull();
    }
  }

  private String problem(String name) {
    List<Deployment> wanted = deployments.list();
    return wanted.stream()
        .filter(it -> it.symbolicName().equals(name))
        .map(Deployment::problem)
        .findFirst()
        .orElse("");
  }
}

package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.greeting.Greeter;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.modules.GoodGreeter;
import org.mezzo.deployment.modules.HangingActivator;
import org.mezzo.testing.bundles.ModuleBundle;

/** What is left to go back to, whenever a process ends and whatever the folder holds then. */
@Timeout(60)
final class GoingBackTest extends DeploymentsInFramework {
  private String first;

  private void deployFirst() throws Exception {
    deploy();
    first = BundleStore.digest(good("1.0.0", "greeter.jar"));
    last(1);
    await(() -> holder().equals("1.0.0"));
    await(() -> Files.readString(state.resolve("journal")).contains("\tSURVIVED\t" + first));
  }

  private static ModuleBundle hanging(String version) throws Exception {
    return greeter(version, GoodGreeter.class)
        .with(HangingActivator.class)
        .header("Bundle-Activator", HangingActivator.class.getName())
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting,org.osgi.framework");
  }

  @Test
  void afterAKillInTheMiddleOfASwapWhatRanBeforeRunsThoughItsFileWasOverwritten() throws Exception {
    deployFirst();
    startMillis = 2000;
    String digest = BundleStore.digest(hanging("2.0.0").build(modules.resolve("greeter.jar")));
    await(() -> Files.readString(state.resolve("journal")).contains("\tSTARTING\t" + digest));
    Path left = leftNow();
    restartAfterKill(left);
    await(() -> holder().equals("1.0.0"));
    assertThat(deployments.verdicts()).extracting(Verdict::digest).containsExactly(digest);
    await(() -> only().problem().contains("2.0.0 in greeter.jar was skipped"));
    restart();
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void whatToGoBackToIsKnownBeforeAnotherVersionTakesOver() throws Exception {
    deployFirst();
    good("1.1.0", "greeter.jar");
    assertThat(last(2).succeeded()).isTrue();
    Path left = leftNow();
    // The one that was being opened alone is what the process did not survive.
    restartAfterKill(cutAfter(left, "\tSEATED\tgreeter\t1\t1.1.0"));
    await(() -> holder().equals("1.0.0"));
    assertThat(deployments.verdicts()).extracting(Verdict::version).containsExactly("1.1.0");
  }

  @Test
  void whatToGoBackToIsKnownBeforeAnUpdateInPlace() throws Exception {
    deployFirst();
    other("1.0.0", "other", modules.resolve("greeter.jar"));
    assertThat(last(2).succeeded()).isTrue();
    assertThat(content()).isEqualTo("other");
    restartAfterKill(cutAfter(leftNow(), "\tSEATED\tgreeter\t1\t1.0.0"));
    await(() -> holder().equals("1.0.0"));
    assertThat(content()).isEqualTo("1.0.0");
  }

  @Test
  void whatRanLastIsGoneBackToFromWhatCameWhileNoHostRan() throws Exception {
    deployFirst();
    halt();
    greeter("2.0.0", GoodGreeter.class)
        .header("Import-Package", "no.such.one")
        .build(modules.resolve("greeter.jar"));
    reboot();
    await(() -> holder().equals("1.0.0"));
    assertThat(deployments.verdicts()).extracting(Verdict::version).containsExactly("2.0.0");
    restart();
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void whatCannotBeKeptIsNotUpdatedInPlace() throws Exception {
    deployFirst();
    Files.delete(state.resolve("bundles").resolve(first + ".jar"));
    other("1.0.0", "other", modules.resolve("greeter.jar"));
    Action update = last(2);
    assertThat(update.succeeded()).isFalse();
    assertThat(update.outcome())
        .contains("what runs, greeter 1.0.0, cannot be kept to go back to")
        .contains("give the new one another version")
        .contains("what is installed stays");
    assertThat(lost).hasValue(0);
    assertThat(content()).isEqualTo("1.0.0");
    good("1.1.0", "greeter.jar");
    assertThat(last(3).succeeded()).as(last(3).outcome()).isTrue();
    await(() -> holder().equals("1.1.0"));
  }

  private void cutOff(Path jar) throws Exception {
    byte[] bytes = Files.readAllBytes(jar);
    Files.write(jar, Arrays.copyOf(bytes, bytes.length / 2));
  }

  private void awaitUnreadable() {
    await(() -> deployments.list().stream().anyMatch(d -> d.state().equals("unreadable")));
  }

  @Test
  void aJarThatIsCutOffWhenTheHostStartsLosesNothing() throws Exception {
    deployFirst();
    ModuleBundle.of("words", "1.0.0")
        .header("Export-Package", "org.mezzo.deployment.greeting.no")
        .build(modules.resolve("library.jar"));
    halt();
    cutOff(modules.resolve("greeter.jar"));
    // Twice: what is remembered of the file must outlive the first start, too.
    for (int i = 0; i < 2; i++) {
      reboot();
      await(() -> holder().equals("1.0.0"));
      awaitUnreadable();
      Path later = Files.writeString(modules.resolve("later.jar"), "no jar");
      await(() -> deployments.list().stream().anyMatch(d -> d.file().equals("later.jar")));
      assertThat(installed()).containsExactly("greeter 1.0.0");
      Files.delete(later);
      if (i == 0) {
        halt();
      }
    }
    good("1.1.0", "greeter.jar");
    await(() -> running().equals(List.of("greeter 1.1.0")));
    Files.delete(modules.resolve("greeter.jar"));
    await(() -> installed().isEmpty());
  }

  @Test
  void aJarThatIsCutOffTakesNothingAwayThoughWhatItHeldNeverRan() throws Exception {
    deployFirst();
    ModuleBundle.of("greeter", "2.0.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
        .module(GoodGreeter.class, Greeter.class, "singer", "polite")
        .build(modules.resolve("greeter.jar"));
    assertThat(last(2).outcome()).contains("which this host does not know");
    cutOff(modules.resolve("greeter.jar"));
    awaitUnreadable();
    restart();
    awaitUnreadable();
    await(() -> holder().equals("1.0.0"));
    assertThat(installed()).containsExactly("greeter 1.0.0");
  }

  @Test
  void whatMayBeBeingCopiedWhenTheHostStartsIsNotForgotten() throws Exception {
    deployFirst();
    halt();
    Path whole = hanging("2.0.0").build(dir.resolve("whole.jar"));
    Files.delete(modules.resolve("greeter.jar"));
    Files.copy(whole, modules.resolve("renamed.jar"));
    cutOff(modules.resolve("renamed.jar"));
    reboot();
    assertThat(Files.readString(state.resolve("journal"))).doesNotContain("\tUNSEATED\tgreeter");
    awaitUnreadable();
    await(() -> Files.readString(state.resolve("journal")).contains("\tUNSEATED\tgreeter"));
    assertThat(installed()).isEmpty();
  }

  @Test
  void whatThisHostDoesNotTakeAnyMoreIsNotGoneBackTo() throws Exception {
    deployFirst();
    kinds = Map.of("singer", Greeter.class.getName());
    restart();
    assertThat(installed()).isEmpty();
    assertThat(only().problem()).contains("which this host does not know; it knows singer");
  }
}

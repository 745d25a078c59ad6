package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.greeting.Greeter;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.modules.GoodGreeter;
import org.mezzo.deployment.modules.RefusingGreeter;
import org.mezzo.testing.bundles.ModuleBundle;

/** By which marks a process knows what the one before it did not survive. */
@Timeout(60)
final class MarksTest extends DeploymentsInFramework {
  /** A module that no daemon uses. */
  private Path idle(String name) throws Exception {
    return ModuleBundle.of(name, "1.0.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
        .module(GoodGreeter.class, Greeter.class, "greeter", name)
        .build(modules.resolve(name + ".jar"));
  }

  private boolean open(String digest) throws Exception {
    String text = journal();
    return Math.max(
            text.lastIndexOf("\tSTARTING\t" + digest), text.lastIndexOf("\tOPENING\t" + digest))
        > text.lastIndexOf("\tSURVIVED\t" + digest);
  }

  @Test
  void theMarkOfWhatNeverServesIsClosedAfterAWhile() throws Exception {
    String digest =
        BundleStore.digest(
            greeter("1.0.0", RefusingGreeter.class).build(modules.resolve("greeter.jar")));
    deploy();
    // Not before its rehearsal, which has a mark of its own, has failed.
    await(() -> journal().contains("\tOPENING\t" + digest));
    await(() -> !open(digest));
    restartAfterKill(cutAfter(leftNow(), "\tSURVIVED\t" + digest));
    assertThat(deployments.verdicts()).isEmpty();
  }

  @Test
  void theMarkOfWhatIsRemovedIsClosed() throws Exception {
    deploy();
    Path jar = idle("idle");
    String digest = BundleStore.digest(jar);
    last(1);
    Files.delete(jar);
    assertThat(last(2).kind()).isEqualTo(Action.Kind.UNINSTALL);
    assertThat(open(digest)).isFalse();
  }

  @Test
  void theMarkOfWhatIsUpdatedIsClosed() throws Exception {
    deploy();
    String digest = BundleStore.digest(idle("idle"));
    last(1);
    ModuleBundle.of("idle", "1.0.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
        .module(GoodGreeter.class, Greeter.class, "greeter", "idle")
        .with("v", "other")
        .build(modules.resolve("idle.jar"));
    Action update = last(2);
    assertThat(update.kind()).isEqualTo(Action.Kind.UPDATE);
    assertThat(update.succeeded()).as(update.outcome()).isTrue();
    assertThat(open(digest)).isFalse();
  }

  @Test
  void whatHasProvenItselfIsSkippedWhenTheProcessEndsOfItAgainAndAgain() throws Exception {
    deploy();
    String digest = BundleStore.digest(good("1.0.0", "greeter.jar"));
    trialMillis = 0;
    await(() -> journal().contains("\tGOOD\tgreeter\t1.0.0\t" + digest + "\ttrue"));
    restart();
    for (int i = 0; i < 3; i++) {
      await(() -> holder().equals("1.0.0"));
      restartAfterKill(cutAfter(leftNow(), "\tSTARTING\t" + digest));
    }
    assertThat(installed()).isEmpty();
    assertThat(only().problem())
        .contains("the process ended 3 times in a row while it was started or opened");
    assertThat(deployments.history().get(0).outcome()).contains("3 times in a row");
    assertThat(ask(modules.resolve("greeter.jar")).succeeded()).isTrue();
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void bundlesKeepTheirPlacesWhenTheHostStarts() throws Exception {
    deploy();
    for (String name : List.of("zebra", "ape", "bee")) {
      idle(name);
      await(() -> running().contains(name + " 1.0.0"));
    }
    String order = seats();
    assertThat(order).isNotEmpty();
    restart();
    assertThat(running()).hasSize(3);
    assertThat(seats()).isEqualTo(order);
  }

  private String seats() throws Exception {
    return journal()
        .lines()
        .filter(line -> line.contains("\tSEATED\t"))
        .collect(Collectors.joining("\n"));
  }
}

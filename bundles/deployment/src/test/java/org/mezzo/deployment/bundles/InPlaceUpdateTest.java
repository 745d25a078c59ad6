package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.Module;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.journal.StateFolder;
import org.mezzo.deployment.modules.GoodGreeter;
import org.mezzo.deployment.modules.HangingActivator;
import org.mezzo.deployment.modules.HangingStopActivator;
import org.mezzo.deployment.modules.RefusingGreeter;
import org.mezzo.deployment.modules.ThrowingStopActivator;
import org.mezzo.testing.bundles.ModuleBundle;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/** What becomes of a jar of the same version when something goes wrong on the way. */
@Timeout(60)
final class InPlaceUpdateTest extends DeploymentsInFramework {
  private static ModuleBundle with(
      Class<? extends Module> type, Class<? extends BundleActivator> activator, String content)
      throws Exception {
    return greeter("1.0.0", type)
        .with("v", content)
        .with(activator)
        .header("Bundle-Activator", activator.getName())
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting,org.osgi.framework");
  }

  private Path jar() {
    return modules.resolve("greeter.jar");
  }

  private void deployFirst(Class<? extends BundleActivator> activator) throws Exception {
    deploy();
    with(GoodGreeter.class, activator, "first").build(jar());
    last(1);
    await(() -> holder().equals("1.0.0"));
  }

  private boolean stuck() {
    return deployments.list().stream().anyMatch(wanted -> wanted.state().equals("stuck"));
  }

  @Test
  void theNewContentIsNotToBlameForAnOldOneThatDoesNotStop() throws Exception {
    deployFirst(HangingStopActivator.class);
    startMillis = 5000;
    other("1.0.0", "second", jar());
    Action update = last(2);
    assertThat(update.succeeded()).as(update.outcome()).isTrue();
    assertThat(content()).isEqualTo("second");
    assertThat(deployments.verdicts()).isEmpty();
    await(this::stuck);
    other("1.0.0", "third", jar());
    assertThat(last(3).succeeded()).as(last(3).outcome()).isTrue();
    assertThat(content()).isEqualTo("third");
    assertThat(running()).containsExactly("greeter 1.0.0");
  }

  @Test
  void whereTheOldContentDoesNotStopAndTheNewOneDoesNotOpenTheOldOneRunsOnceMore()
      throws Exception {
    deployFirst(HangingStopActivator.class);
    startMillis = 5000;
    greeter("1.0.0", RefusingGreeter.class).build(jar());
    await(() -> deployments.history().size() == 3);
    assertThat(deployments.verdicts())
        .extracting(Verdict::digest)
        .containsExactly(BundleStore.digest(jar()));
    assertThat(deployments.verdicts().get(0).reason()).contains("not in the mood");
    await(() -> holder().equals("1.0.0"));
    assertThat(content()).isEqualTo("first");
    await(() -> running().equals(List.of("greeter 1.0.0")));
  }

  @Test
  void aContentThatHangsIsBarredAndDoesNotConvictTheNext() throws Exception {
    deploy();
    other("1.0.0", "first", jar());
    last(1);
    await(() -> holder().equals("1.0.0"));
    startMillis = 5000;
    with(GoodGreeter.class, HangingActivator.class, "second").build(jar());
    await(() -> deployments.history().stream().anyMatch(action -> !action.succeeded()));
    String hung = BundleStore.digest(jar());
    await(() -> holder().equals("1.0.0"));
    assertThat(content()).isEqualTo("first");
    assertThat(deployments.verdicts()).extracting(Verdict::digest).containsExactly(hung);
    assertThat(deployments.verdicts().get(0).kind()).isEqualTo(Verdict.Kind.HUNG);
    other("1.0.0", "third", jar());
    await(() -> content().equals("third"));
    assertThat(deployments.verdicts()).extracting(Verdict::digest).containsExactly(hung);
  }

  @Test
  void whatThrowsWhenItIsStoppedIsReplacedAllTheSame() throws Exception {
    deployFirst(ThrowingStopActivator.class);
    other("1.0.0", "second", jar());
    assertThat(last(2).succeeded()).as(last(2).outcome()).isTrue();
    assertThat(content()).isEqualTo("second");
    assertThat(deployments.verdicts()).isEmpty();
  }

  @Test
  void whatCannotBeReadReplacesNothing() throws Exception {
    deploy();
    ServiceComponentRuntime runtime =
        context.getService(context.getServiceReference(ServiceComponentRuntime.class));
    DeclaredModules declared = new DeclaredModules(runtime);
    Uses uses = new Uses(leases);
    Probation probation = new Probation(leases, declared, uses, this::settings);
    try (StateFolder own = StateFolder.open(dir.resolve("own"), Duration.ZERO);
        Wiring wiring = new Wiring(context)) {
      Ledger ledger = new Ledger(declared, own.journal(), digest -> false, () -> false);
      History history = new History(own.journal());
      ModuleBundles bundles =
          new ModuleBundles(context, own.journal(), leases, wiring, this::settings);
      InPlaceUpdate update =
          new InPlaceUpdate(bundles, probation, null, uses, leases, ledger, history);
      Path first = other("1.0.0", "first", dir.resolve("first.jar"));
      Installed entry = new Installed(bundles.install(first, jar(first)), jar(first), false);
      ledger.put(entry);
      bundles.startMarked(entry.bundle, entry.jar);
      await(() -> holder().equals("1.0.0"));
      ModuleJar next = jar(other("1.0.0", "second", dir.resolve("second.jar")));

      Path missing = dir.resolve("missing.jar");
      assertThatThrownBy(
              () ->
                  update.update(
                      history.begin("Ada", next, entry), missing, next, first, entry, true))
          .isInstanceOf(NoSuchFileException.class);
      assertThat(lost).hasValue(0);
      assertThat(entry.bundle.getState()).isEqualTo(Bundle.ACTIVE);

      // It opens, and reading it fails.
      Path unreadable = Files.createDirectory(dir.resolve("unreadable.jar"));
      Action action =
          update.update(history.begin("Ada", next, entry), unreadable, next, first, entry, true);
      assertThat(action.succeeded()).isFalse();
      assertThat(action.outcome()).contains("what was there before is back");
      await(() -> holder().equals("1.0.0"));
      assertThat(content()).isEqualTo("first");
      assertThat(entry.state).isEqualTo("active");
      assertThat(own.journal().verdicts()).isEmpty();
      entry.bundle.uninstall();
    }
  }

  private static ModuleJar jar(Path path) throws Exception {
    return ModuleJar.read(path, 0);
  }
}

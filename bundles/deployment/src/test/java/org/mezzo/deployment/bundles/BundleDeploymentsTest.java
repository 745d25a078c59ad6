package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.Module;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.greeting.Greeter;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.modules.GoodGreeter;
import org.mezzo.deployment.modules.HangingActivator;
import org.mezzo.deployment.modules.HangingStopActivator;
import org.mezzo.deployment.modules.IllGreeter;
import org.mezzo.deployment.modules.RefusingGreeter;
import org.mezzo.deployment.modules.SlowGreeter;
import org.mezzo.deployment.modules.StageFrightGreeter;
import org.mezzo.deployment.modules.ThrowingGreeter;
import org.mezzo.deployment.modules.WordyGreeter;
import org.mezzo.deployment.words.Words;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLease.Terms;
import org.mezzo.testing.bundles.ModuleBundle;
import org.slf4j.LoggerFactory;

/** What deployment makes of the folder and of requests. */
@Timeout(60)
final class BundleDeploymentsTest extends DeploymentsInFramework {
  @Test
  void whatTheFolderHoldsRunsBeforeActivationEnds() throws Exception {
    Path jar = good("1.0.0", "greeter.jar");
    Files.writeString(modules.resolve("README"), "no jar");
    deploy();
    assertThat(installed()).containsExactly("greeter 1.0.0");
    assertThat(deployments.list())
        .containsExactly(
            new Deployment(
                "greeter",
                "1.0.0",
                BundleStore.digest(jar),
                false,
                "greeter.jar",
                "active",
                "",
                deployments.list().get(0).bundleId(),
                List.of("greeter polite")));
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void aJarIsInstalledSwappedAndRemovedAsTheFolderChanges() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    await(() -> holder().equals("1.0.0"));
    last(1);

    good("1.1.0", "greeter.jar");
    Action swap = last(2);
    assertThat(swap.kind()).isEqualTo(Action.Kind.SWAP);
    assertThat(swap.succeeded()).isTrue();
    assertThat(swap.fromVersion()).isEqualTo("1.0.0");
    assertThat(swap.toVersion()).isEqualTo("1.1.0");
    assertThat(swap.gap()).isEqualTo(Duration.ZERO);
    assertThat(holder()).isEqualTo("1.1.0");
    await(() -> running().equals(List.of("greeter 1.1.0")));
    await(() -> lost.get() == 1);

    Files.delete(modules.resolve("greeter.jar"));
    assertThat(last(3).kind()).isEqualTo(Action.Kind.UNINSTALL);
    assertThat(installed()).isEmpty();
    await(() -> holder().isEmpty());
  }

  @Test
  void anotherFileWithTheSameNameTakesOverAndTheOldOneComesBackWhenItGoes() throws Exception {
    deploy();
    Path first = good("1.0.0", "greeter-1.0.jar");
    last(1);
    // Arrival is told by the second, and a file system's clock may lag behind the machine's.
    long second = Files.getLastModifiedTime(first).to(TimeUnit.SECONDS);
    Path now = dir.resolve("now");
    await(
        () -> Files.getLastModifiedTime(Files.writeString(now, "")).to(TimeUnit.SECONDS) > second);
    good("2.0.0", "greeter-2.0.jar");
    assertThat(last(2).kind()).isEqualTo(Action.Kind.SWAP);
    await(() -> running().equals(List.of("greeter 2.0.0")));
    await(() -> deployments.list().stream().anyMatch(d -> d.state().equals("superseded")));
    Files.delete(modules.resolve("greeter-2.0.jar"));
    assertThat(last(3).toVersion()).isEqualTo("1.0.0");
    assertThat(holder()).isEqualTo("1.0.0");
  }

  @Test
  void whileAFileIsExchangedAnOlderOneBesideItIsNotGoneBackTo() throws Exception {
    deploy();
    good("1.0.0", "greeter-1.0.jar");
    last(1);
    good("2.0.0", "greeter-dev.jar");
    assertThat(last(2).toVersion()).isEqualTo("2.0.0");
    await(() -> running().equals(List.of("greeter 2.0.0")));
    good("3.0.0", "greeter-dev.jar");
    Action swap = last(3);
    assertThat(swap.fromVersion()).isEqualTo("2.0.0");
    assertThat(swap.toVersion()).isEqualTo("3.0.0");
    assertThat(holder()).isEqualTo("3.0.0");
  }

  @Test
  void theSameVersionWithOtherContentIsUpdatedInPlaceWithAStatedGap() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    greeter("1.0.0", GoodGreeter.class).with("v", "other").build(modules.resolve("greeter.jar"));
    Action update = last(2);
    assertThat(update.kind()).isEqualTo(Action.Kind.UPDATE);
    assertThat(update.succeeded()).as(update.outcome()).isTrue();
    assertThat(update.gap()).isPositive();
    assertThat(holder()).isEqualTo("1.0.0");
  }

  @Test
  void anUpdateInPlaceThatFailsIsTakenBack() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    greeter("1.0.0", RefusingGreeter.class).build(modules.resolve("greeter.jar"));
    Action update = last(2);
    assertThat(update.succeeded()).isFalse();
    assertThat(update.outcome()).contains("not in the mood").contains("is back");
    await(() -> holder().equals("1.0.0"));
    assertThat(
            lease
                .ask(Terms.of("greet").within(Duration.ofSeconds(5)), g -> g.greet("Ada"))
                .toCompletableFuture()
                .get())
        .isEqualTo("hello Ada");
  }

  @Test
  void aVersionThatCannotOpenIsRemovedAndTheOldOneNeverStopsServing() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    greeter("1.1.0", RefusingGreeter.class).build(modules.resolve("greeter.jar"));
    Action swap = last(2);
    assertThat(swap.succeeded()).isFalse();
    assertThat(swap.outcome()).contains("not in the mood").contains("1.0.0 stays");
    assertThat(installed()).containsExactly("greeter 1.0.0");
    assertThat(lost).hasValue(0);
    assertThat(holder()).isEqualTo("1.0.0");
    await(() -> deployments.list().get(0).problem().contains("1.1.0 in greeter.jar was refused"));
    assertThat(deployments.history()).hasSize(2);
  }

  @Test
  void aVersionThatThrowsInItsProbationIsTakenBack() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    Thread caller =
        new Thread(
            () -> {
              while (!Thread.interrupted()) {
                try {
                  lease
                      .ask(Terms.of("greet").within(Duration.ofSeconds(5)), g -> g.greet("Ada"))
                      .handle((r, t) -> r)
                      .toCompletableFuture()
                      .get();
                } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
                  return;
                }
              }
            });
    caller.start();
    probationMillis = 20_000;
    greeter("1.1.0", ThrowingGreeter.class).build(modules.resolve("greeter.jar"));
    Action swap = last(2);
    caller.interrupt();
    caller.join();
    assertThat(swap.succeeded()).isFalse();
    assertThat(swap.outcome()).contains("no manners");
    assertThat(installed()).containsExactly("greeter 1.0.0");
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void aVersionThatDoesNotReturnFromACallOfItsProbationIsTakenBack() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    probationMillis = 3000;
    startMillis = 3000;
    greeter("1.1.0", SlowGreeter.class).build(modules.resolve("greeter.jar"));
    await(() -> holder().equals("1.1.0"));
    lease.ask(Terms.of("greet").within(Duration.ofSeconds(30)), greeter -> greeter.greet("Ada"));
    Action swap = last(2);
    assertThat(swap.succeeded()).isFalse();
    assertThat(swap.outcome())
        .contains("greeter 'polite' has not returned from a call of master for")
        .contains("1.0.0 stays");
    assertThat(installed()).containsExactly("greeter 1.0.0");
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void aVersionWhoseOnlyCallInItsProbationThrewIsTakenBack() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    probationMillis = 3000;
    startMillis = 3000;
    greeter("1.1.0", ThrowingGreeter.class).build(modules.resolve("greeter.jar"));
    await(() -> holder().equals("1.1.0"));
    lease.ask(Terms.of("greet").within(Duration.ofSeconds(5)), greeter -> greeter.greet("Ada"));
    Action swap = last(2);
    assertThat(swap.succeeded()).isFalse();
    assertThat(swap.outcome())
        .contains("greeter 'polite' threw in the last 1 calls of master")
        .contains("1.0.0 stays");
    assertThat(installed()).containsExactly("greeter 1.0.0");
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void whatSomebodyElseUninstalledIsBackWhileItsJarIsInTheFolder() throws Exception {
    deploy();
    Path jar = good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0") && running().equals(List.of("greeter 1.0.0")));
    context.getBundle(deployments.list().get(0).bundleId()).uninstall();
    last(2);
    await(() -> holder().equals("1.0.0"));
    assertThat(installed()).containsExactly("greeter 1.0.0");
    Files.delete(jar);
    last(3);
    Path elsewhere = greeter("1.1.0", GoodGreeter.class).build(dir.resolve("greeter.jar"));
    deployments.install(elsewhere).toCompletableFuture().get();
    context.getBundle(deployments.list().get(0).bundleId()).uninstall();
    Path next = greeter("1.2.0", GoodGreeter.class).build(dir.resolve("next.jar"));
    assertThat(deployments.install(next).toCompletableFuture().get().succeeded()).isTrue();
    await(() -> holder().equals("1.2.0"));
    // The one before may be kept to go back to: its jar was there, too.
    await(() -> running().equals(List.of("greeter 1.2.0")));
  }

  @Test
  void whatCannotResolveIsReportedInPlainWordsAndStartsWhenItCan() throws Exception {
    greeter("1.0.0", GoodGreeter.class)
        .header(
            "Import-Package",
            "org.mezzo.api,org.mezzo.deployment.greeting,org.words;version=\"[1.2,2)\"")
        .build(modules.resolve("greeter.jar"));
    deploy();
    assertThat(deployments.list().get(0).state()).isEqualTo("unresolved");
    assertThat(deployments.list().get(0).problem())
        .contains(
            "it needs the package org.words in version 1.2.0 up to but not including 2.0.0,"
                + " which no installed bundle provides");
    ModuleBundle.of("words", "1.0.0")
        .header("Export-Package", "org.words;version=1.5.0")
        .with("org/words/list", "x")
        .build(modules.resolve("words.jar"));
    await(() -> holder().equals("1.0.0"));
    await(() -> deployments.list().get(0).state().equals("active"));
  }

  @Test
  void halfCopiedJarsAreLeftAloneUntilTheyAreWhole() throws Exception {
    deploy();
    Path whole = greeter("1.0.0", GoodGreeter.class).build(dir.resolve("whole.jar"));
    byte[] bytes = Files.readAllBytes(whole);
    Path target = modules.resolve("greeter.jar");
    try (var out = Files.newOutputStream(target)) {
      for (int i = 0; i < bytes.length; i++) {
        out.write(bytes[i]);
        if (i % (bytes.length / 20) == 0) {
          Thread.sleep(10);
        }
      }
    }
    await(() -> holder().equals("1.0.0"));
    assertThat(deployments.history()).allMatch(Action::succeeded);

    Files.write(modules.resolve("other.jar"), Arrays.copyOf(bytes, bytes.length / 2));
    await(() -> deployments.list().stream().anyMatch(d -> d.state().equals("unreadable")));
  }

  @Test
  void requestsChangeTheFolder() throws Exception {
    deploy();
    Path first = greeter("1.0.0", GoodGreeter.class).build(dir.resolve("first.jar"));
    assertThat(deployments.swap(first).toCompletableFuture().get().succeeded()).isFalse();
    assertThat(deployments.install(first).toCompletableFuture().get().succeeded()).isTrue();
    assertThat(modules.resolve("first.jar")).exists();
    Path second = greeter("1.1.0", GoodGreeter.class).build(dir.resolve("second.jar"));
    try (var in = Files.newInputStream(second)) {
      Action swap = deployments.install("second.jar", in, "me").toCompletableFuture().get();
      assertThat(swap.kind()).isEqualTo(Action.Kind.SWAP);
      assertThat(swap.succeeded()).isTrue();
    }
    assertThat(modules.resolve("first.jar")).doesNotExist();
    assertThat(modules.resolve("second.jar")).exists();
    // The folder has been looked at since when this one is known, and nothing came of it.
    Path later = Files.writeString(modules.resolve("later.jar"), "no jar");
    await(() -> deployments.list().stream().anyMatch(d -> d.state().equals("unreadable")));
    assertThat(deployments.history()).hasSize(3);
    Files.delete(later);
    assertThat(deployments.uninstall("greeter").toCompletableFuture().get().succeeded()).isTrue();
    assertThat(modules.resolve("second.jar")).doesNotExist();
    assertThat(installed()).isEmpty();
    assertThat(deployments.uninstall("greeter").toCompletableFuture().get().succeeded()).isFalse();
  }

  @Test
  void coreBundlesAreNotReplaced() throws Exception {
    deploy();
    ModuleBundle.of("tester", "9.0.0").build(modules.resolve("tester.jar"));
    assertThat(last(1).outcome()).contains("core bundle");
    assertThat(installed()).isEmpty();
  }

  @Test
  void whateverTheFolderRefusesLeavesALine() throws Exception {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger("org.mezzo.deployment");
    Level level = logger.getLevel();
    logger.setLevel(Level.WARN);
    logger.addAppender(log);
    try {
      ModuleBundle.of("tester", "9.0.0").build(modules.resolve("core-at-start.jar"));
      deploy();
      awaitLine(log, "core-at-start.jar was refused: tester is a core bundle");
      Files.delete(modules.resolve("core-at-start.jar"));

      Files.writeString(modules.resolve("text.jar"), "no jar");
      awaitLine(log, "text.jar is not deployed: ");
      Files.writeString(modules.resolve("notes.txt"), "no jar either");
      awaitLine(log, "notes.txt is ignored");

      Path bad =
          greeter("1.0.0", GoodGreeter.class)
              .header("Import-Package", "no.such.one")
              .build(dir.resolve("bad.jar"));
      Path again = Files.copy(bad, dir.resolve("again"));
      good("0.9.0", "greeter.jar");
      last(2);
      Files.move(bad, modules.resolve("greeter.jar"), StandardCopyOption.REPLACE_EXISTING);
      awaitLine(log, "swap greeter 1.0.0 failed: ");
      // The very same once more: nothing is tried, but somebody waits for a word.
      Files.move(again, modules.resolve("greeter.jar"), StandardCopyOption.REPLACE_EXISTING);
      awaitLine(log, "greeter.jar is not deployed: the same content was refused before");
      assertThat(installed()).containsExactly("greeter 0.9.0");
      good("2.0.0", "later.jar");
      awaitLine(
          log, "greeter.jar is not deployed: later.jar with the same symbolic name came later");
    } finally {
      logger.detachAppender(log);
      logger.setLevel(level);
    }
  }

  @Test
  void aFileMovedOverTheOldOneIsASwapNotARemoval() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    for (int i = 1; i <= 5; i++) {
      String version = "1.0." + i;
      Path next = greeter(version, GoodGreeter.class).build(dir.resolve("next.jar"));
      Files.move(next, modules.resolve("greeter.jar"), StandardCopyOption.REPLACE_EXISTING);
      await(() -> running().equals(List.of("greeter " + version)));
    }
    await(() -> deployments.history().size() == 6);
    assertThat(deployments.history())
        .allMatch(Action::succeeded)
        .allMatch(action -> action.gap().isZero());
    await(() -> lost.get() == 5);
  }

  @Test
  void aRefusedVersionStaysRefusedAfterARestartUntilSomebodyAsksForIt() throws Exception {
    deploy();
    good("1.0.0", "greeter-1.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    Path bad = greeter("2.0.0", RefusingGreeter.class).build(modules.resolve("greeter-2.jar"));
    assertThat(last(2).succeeded()).isFalse();

    restart();
    await(() -> holder().equals("1.0.0"));
    assertThat(installed()).containsExactly("greeter 1.0.0");
    await(() -> only().problem().contains("2.0.0 in greeter-2.jar was refused"));
    assertThat(deployments.history()).hasSize(2);
    assertThat(deployments.history().get(0).outcome()).contains("not in the mood");

    Action again = ask(bad);
    assertThat(again.principal()).isEqualTo("Ada");
    assertThat(again.id()).isEqualTo(3);
    assertThat(again.outcome()).contains("not in the mood");
    assertThat(again.stages()).isNotEmpty();
    assertThat(holder()).isEqualTo("1.0.0");
  }

  @Test
  void whatTheFolderHasLostButWasGoodRunsInsteadOfWhatWasRefused() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    trialMillis = 0;
    good("1.1.0", "greeter.jar");
    last(2);
    await(
        () ->
            Files.readString(dir.resolve("state/journal"))
                .matches("(?s).*GOOD\tgreeter\t1.1.0\t\\w+\ttrue.*"));
    greeter("2.0.0", RefusingGreeter.class).build(modules.resolve("greeter.jar"));
    assertThat(last(3).succeeded()).isFalse();

    restart();
    await(() -> holder().equals("1.1.0"));
    assertThat(only().file()).isEmpty();
    assertThat(only().problem()).contains("2.0.0 in greeter.jar was refused");
  }

  @Test
  void whatThrowsAfterItsProbationIsRolledBackAndStaysSo() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    greeter("1.1.0", ThrowingGreeter.class).build(modules.resolve("greeter.jar"));
    assertThat(last(2).succeeded()).isTrue();
    await(() -> running().equals(List.of("greeter 1.1.0")));
    lease.ask(Terms.of("greet").within(Duration.ofSeconds(5)), greeter -> greeter.greet("Ada"));
    Action back = last(3);
    assertThat(back.succeeded()).as(back.outcome()).isTrue();
    assertThat(back.principal()).isEqualTo("deployment");
    assertThat(back.fromVersion()).isEqualTo("1.1.0");
    assertThat(back.toVersion()).isEqualTo("1.0.0");
    assertThat(back.gap()).isZero();
    assertThat(holder()).isEqualTo("1.0.0");
    await(() -> only().problem().contains("1.1.0 in greeter.jar was rolled back"));

    restart();
    await(() -> holder().equals("1.0.0"));
    assertThat(installed()).containsExactly("greeter 1.0.0");
    assertThat(only().problem()).contains("1.1.0 in greeter.jar was rolled back");
  }

  @Test
  void aVersionThatSaysItIsNotWellIsRolledBack() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    greeter("1.1.0", IllGreeter.class).build(modules.resolve("greeter.jar"));

    await(() -> only().problem().contains("1.1.0 in greeter.jar was"));
    assertThat(only().problem()).contains("greeter 'polite' is not well: a sore throat");
    assertThat(holder()).isEqualTo("1.0.0");
    assertThat(running()).containsExactly("greeter 1.0.0");
  }

  @Test
  void aBundleWhoseActivatorHangsIsLeftAloneAndEverythingElseGoesOn() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    startMillis = 2000;
    greeter("2.0.0", GoodGreeter.class)
        .with(HangingActivator.class)
        .header("Bundle-Activator", HangingActivator.class.getName())
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting,org.osgi.framework")
        .build(modules.resolve("greeter.jar"));
    Action swap = last(2);
    assertThat(swap.succeeded()).isFalse();
    assertThat(swap.outcome())
        .contains("has not returned from being started within 2000 ms")
        .contains("HangingActivator.start")
        .contains("1.0.0 stays");
    assertThat(holder()).isEqualTo("1.0.0");
    await(() -> deployments.list().stream().anyMatch(d -> d.state().equals("stuck")));

    startMillis = 20_000;
    good("3.0.0", "greeter.jar");
    assertThat(last(3).succeeded()).as(last(3).outcome()).isTrue();
    assertThat(holder()).isEqualTo("3.0.0");
  }

  @Test
  void aBundleThatHangsAtTheStartOfTheHostDoesNotHoldItUp() throws Exception {
    startMillis = 2000;
    greeter("2.0.0", GoodGreeter.class)
        .with(HangingActivator.class)
        .header("Bundle-Activator", HangingActivator.class.getName())
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting,org.osgi.framework")
        .build(modules.resolve("greeter.jar"));
    deploy();
    assertThat(deployments.history().get(0).outcome()).contains("has not returned");
    restart();
    assertThat(installed()).isEmpty();
    await(() -> only().state().equals("failed") && only().problem().contains("has not returned"));
  }

  @Test
  void aBundleThatDoesNotStopIsReplacedAllTheSame() throws Exception {
    trialMillis = 0;
    deploy();
    greeter("1.0.0", GoodGreeter.class)
        .with(HangingStopActivator.class)
        .header("Bundle-Activator", HangingStopActivator.class.getName())
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting,org.osgi.framework")
        .build(modules.resolve("greeter.jar"));
    last(1);
    await(() -> holder().equals("1.0.0"));
    startMillis = 5000;
    good("1.1.0", "greeter.jar");
    assertThat(last(2).succeeded()).as(last(2).outcome()).isTrue();
    assertThat(holder()).isEqualTo("1.1.0");
    await(() -> deployments.list().stream().anyMatch(d -> d.state().equals("stuck")));
    startMillis = 20_000;
    good("1.2.0", "greeter.jar");
    assertThat(last(3).succeeded()).isTrue();
    await(() -> holder().equals("1.2.0"));
  }

  private void refused(Path jar, String word) throws Exception {
    List<String> before = installed();
    Action action = ask(jar);
    assertThat(action.succeeded()).isFalse();
    assertThat(action.outcome()).contains(word);
    assertThat(installed()).isEqualTo(before);
    assertThat(modules.resolve(jar.getFileName())).doesNotExist();
    assertThat(dir.resolve("state/bundles")).isEmptyDirectory();
  }

  @Test
  void whatIsNoGoodModuleIsRefusedInClearWordsBeforeAnythingIsInstalled() throws Exception {
    deploy();
    Path jar = dir.resolve("bad.jar");
    refused(
        ModuleBundle.of("library", "1.0.0").header("Export-Package", "com.some").build(jar),
        "it is a bundle but no module");
    refused(
        greeter("1.0.0", GoodGreeter.class)
            .header("Export-Package", "org.mezzo.api;version=\"0.9\",com.some")
            .build(jar),
        "it exports org.mezzo.api, which the host itself provides");
    refused(
        ModuleBundle.of("greeter", "1.0.0")
            .module(GoodGreeter.class, Greeter.class, "greter", "polite")
            .build(jar),
        "is a module of the kind 'greter', which this host does not know; it knows greeter");
    refused(
        ModuleBundle.of("greeter", "1.0.0")
            .module(GoodGreeter.class, Module.class, "greeter", "polite")
            .build(jar),
        "does not provide org.mezzo.deployment.greeting.Greeter");
    refused(
        ModuleBundle.of("greeter", "1.0.0")
            .with(
                "OSGI-INF/a.xml",
                """
                <component name="single"><property name="mezzo.module.kind" value="greeter"/>
                <property name="mezzo.module.name" value="polite"/>
                <service><provide interface="org.mezzo.deployment.greeting.Greeter"/></service>
                </component>
                """)
            .header("Service-Component", "OSGI-INF/*.xml")
            .build(jar),
        "its component single has the scope 'singleton'");
    refused(
        ModuleBundle.of("greeter", "1.0.0").header("Service-Component", "none.xml").build(jar),
        "which it does not hold");
    // In the folder it is said once.
    ModuleBundle.of("library", "1.0.0").build(modules.resolve("library.jar"));
    await(() -> deployments.list().stream().anyMatch(d -> d.file().equals("library.jar")));
    int said = deployments.history().size();
    Files.writeString(modules.resolve("later.jar"), "no jar");
    await(() -> deployments.list().stream().anyMatch(d -> d.state().equals("unreadable")));
    assertThat(deployments.history()).hasSize(said);
    assertThat(deployments.history().get(0).outcome()).contains("no module");
  }

  @Test
  void twoThatAreNotWantedOfOneNameAreEachTurnedAwayOnce() throws Exception {
    deploy();
    ModuleBundle.of("library", "1.0.0").build(modules.resolve("a.jar"));
    ModuleBundle.of("library", "2.0.0").build(modules.resolve("b.jar"));
    last(2);
    await(() -> deployments.list().size() == 2);
    for (String name : List.of("one.jar", "two.jar")) {
      Files.writeString(modules.resolve(name), "no jar");
      await(() -> deployments.list().stream().anyMatch(d -> d.file().equals(name)));
    }
    assertThat(deployments.history()).hasSize(2);
    assertThat(deployments.list())
        .filteredOn(deployment -> deployment.state().equals("failed"))
        .extracting(Deployment::file)
        .containsExactlyInAnyOrder("a.jar", "b.jar");
  }

  @Test
  void aVersionThatDropsAModuleThatIsUsedIsRefused() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    ModuleBundle.of("greeter", "2.0.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
        .module(GoodGreeter.class, Greeter.class, "greeter", "rude")
        .build(modules.resolve("greeter.jar"));
    assertThat(last(2).outcome())
        .contains("it has no greeter 'polite' any more, which master uses");
    assertThat(installed()).containsExactly("greeter 1.0.0");
    assertThat(holder()).isEqualTo("1.0.0");
  }

  @Test
  void theTimesOfFilesMeanNothing() throws Exception {
    good("1.0.0", "greeter-1.jar");
    good("2.0.0", "greeter-2.jar");
    deploy();
    assertThat(installed()).containsExactly("greeter 2.0.0");
    Path old = modules.resolve("greeter-1.jar");
    Files.setPosixFilePermissions(
        old, java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
    Files.setLastModifiedTime(
        old, java.nio.file.attribute.FileTime.from(java.time.Instant.now().plusSeconds(3600)));
    Files.writeString(modules.resolve("later.jar"), "no jar");
    await(() -> deployments.list().stream().anyMatch(d -> d.state().equals("unreadable")));
    assertThat(installed()).containsExactly("greeter 2.0.0");
    restart();
    assertThat(installed()).containsExactly("greeter 2.0.0");
  }

  @Test
  void ofTwoBundlesWithOneModuleTheOneInstalledLastIsUsedAlsoAfterARestart() throws Exception {
    deploy();
    ModuleBundle.of("zebra", "1.0.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
        .module(GoodGreeter.class, Greeter.class, "greeter", "polite")
        .build(modules.resolve("zebra.jar"));
    last(1);
    good("1.0.0", "greeter.jar");
    last(2);
    await(() -> lease.holder().map(ModuleDescription::bundleName).orElse("").equals("greeter"));
    await(
        () ->
            deployments.list().stream()
                .anyMatch(d -> d.problem().contains("is used only while greeter has none")));
    restart();
    await(() -> lease.holder().map(ModuleDescription::bundleName).orElse("").equals("greeter"));
  }

  private static ModuleBundle words(String version, String hello) throws Exception {
    return ModuleBundle.of("words", version)
        .header("Export-Package", "org.mezzo.deployment.words;version=" + version)
        .with(Words.class)
        .with("org/mezzo/deployment/words/hello.txt", hello);
  }

  private static ModuleBundle wordyGreeter(String version, String range) throws Exception {
    return ModuleBundle.of("greeter", version)
        .header(
            "Import-Package",
            "org.mezzo.api,org.mezzo.deployment.greeting,org.mezzo.deployment.words;version=\""
                + range
                + "\"")
        .module(WordyGreeter.class, Greeter.class, "greeter", "polite");
  }

  private String greet() throws Exception {
    return lease
        .ask(Terms.of("greet").within(Duration.ofSeconds(30)), greeter -> greeter.greet("Ada"))
        .toCompletableFuture()
        .get();
  }

  private void deployWithWords() throws Exception {
    deploy();
    words("1.0.0", "hello").build(dir.resolve("words.jar"));
    wordyGreeter("1.0.0", "[1,2)").build(modules.resolve("greeter.jar"));
    Files.move(dir.resolve("words.jar"), modules.resolve("words.jar"));
    await(() -> holder().equals("1.0.0"));
    assertThat(greet()).isEqualTo("hello Ada");
    await(() -> deployments.history().size() == 2 || deployments.history().size() == 3);
  }

  private Action lastOf(String name, String version) throws Exception {
    await(
        () ->
            deployments.history().stream()
                .anyMatch(a -> a.symbolicName().equals(name) && a.toVersion().equals(version)));
    return deployments.history().stream()
        .filter(a -> a.symbolicName().equals(name) && a.toVersion().equals(version))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void whatOthersNeedIsSwappedTogetherWithThem() throws Exception {
    deployWithWords();
    words("1.1.0", "good day").build(modules.resolve("words.jar"));
    Action swap = lastOf("words", "1.1.0");
    assertThat(swap.succeeded()).as(swap.outcome()).isTrue();
    assertThat(swap.outcome()).contains("and with it greeter 1.0.0, which needs it");
    assertThat(swap.gap()).isZero();
    assertThat(greet()).isEqualTo("good day Ada");
    assertThat(lost).hasValue(1);
    assertThat(deployments.list()).extracting(Deployment::state).containsOnly("active");
    assertThat(deployments.list()).extracting(Deployment::problem).containsOnly("");

    restart();
    await(() -> holder().equals("1.0.0"));
    assertThat(greet()).isEqualTo("good day Ada");
  }

  @Test
  void whatOthersCannotUseIsRefusedAndNothingChanges() throws Exception {
    deployWithWords();
    List<String> before = installed();
    words("2.0.0", "good day").build(modules.resolve("words.jar"));
    Action swap = lastOf("words", "2.0.0");
    assertThat(swap.succeeded()).isFalse();
    assertThat(swap.outcome())
        .contains(
            "greeter 1.0.0, which needs it, fails: it cannot be resolved: it needs the package"
                + " org.mezzo.deployment.words in version 1.0.0 up to but not including 2.0.0,"
                + " but only these are there: 2.0.0 by words")
        .contains("1.0.0 stays");
    assertThat(installed()).isEqualTo(before);
    assertThat(greet()).isEqualTo("hello Ada");
    assertThat(lost).hasValue(0);
  }

  @Test
  void aNewVersionAndWhatNeedsExactlyThatAreSwappedTogether() throws Exception {
    deployWithWords();
    Path both = Files.createDirectory(dir.resolve("both"));
    words("2.0.0", "good day").build(both.resolve("words.jar"));
    wordyGreeter("1.1.0", "[2,3)").build(both.resolve("greeter.jar"));
    for (String file : List.of("greeter.jar", "words.jar")) {
      Files.move(both.resolve(file), modules.resolve(file), StandardCopyOption.REPLACE_EXISTING);
    }
    Action swap = lastOf("words", "2.0.0");
    assertThat(swap.succeeded()).as(swap.outcome()).isTrue();
    assertThat(swap.outcome()).contains("and with it greeter 1.1.0, which needs it");
    assertThat(swap.gap()).isZero();
    assertThat(greet()).isEqualTo("good day Ada");
    assertThat(lost).hasValue(1);
    assertThat(deployments.verdicts()).isEmpty();
  }

  @Test
  void whatMakesOthersFailIsRolledBackTogetherWithThem() throws Exception {
    deployWithWords();
    words("1.1.0", " ").build(modules.resolve("words.jar"));
    assertThat(lastOf("words", "1.1.0").succeeded()).isTrue();
    lease.ask(Terms.of("greet").within(Duration.ofSeconds(5)), greeter -> greeter.greet("Ada"));
    await(() -> deployments.history().get(0).principal().equals("deployment"));
    Action back = deployments.history().get(0);
    assertThat(back.symbolicName()).isEqualTo("words");
    assertThat(back.toVersion()).isEqualTo("1.0.0");
    assertThat(back.gap()).isZero();
    assertThat(greet()).isEqualTo("hello Ada");
    assertThat(deployments.verdicts().get(0).symbolicName()).isEqualTo("words");
    assertThat(deployments.verdicts().get(0).reason()).contains("greeter 1.0.0, which needs it");
    assertThat(installed()).containsExactly("greeter 1.0.0", "words 1.0.0");
  }

  @Test
  void whatOthersNeedIsNotRemoved() throws Exception {
    deployWithWords();
    Action action = deployments.uninstall("words", "Ada").toCompletableFuture().get();
    assertThat(action.succeeded()).isFalse();
    assertThat(action.outcome()).contains("greeter needs it; uninstall that first");
    Files.delete(modules.resolve("words.jar"));
    await(
        () ->
            deployments.list().stream()
                .anyMatch(d -> d.problem().contains("but greeter needs it, so that it stays")));
    assertThat(greet()).isEqualTo("hello Ada");
    Files.delete(modules.resolve("greeter.jar"));
    await(() -> installed().isEmpty());
  }

  @Test
  void theOldVersionStaysInstalledUntilTheNewOneHasLasted() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    good("1.1.0", "greeter.jar");
    assertThat(last(2).succeeded()).isTrue();
    assertThat(holder()).isEqualTo("1.1.0");
    assertThat(installed()).containsExactly("greeter 1.0.0", "greeter 1.1.0");
    await(() -> running().equals(List.of("greeter 1.1.0")));
    // The next one is gone back from to this one.
    good("1.2.0", "greeter.jar");
    assertThat(last(3).succeeded()).isTrue();
    assertThat(installed()).containsExactly("greeter 1.1.0", "greeter 1.2.0");
    trialMillis = 0;
    await(() -> installed().equals(List.of("greeter 1.2.0")));
    assertThat(holder()).isEqualTo("1.2.0");
  }

  @Test
  void aVersionThatFailsWhenItRehearsesNeverServes() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    greeter("1.1.0", StageFrightGreeter.class).build(modules.resolve("greeter.jar"));
    Action swap = last(2);
    assertThat(swap.succeeded()).isFalse();
    assertThat(swap.outcome())
        .contains("greeter 'polite' failed when it rehearsed for master: ")
        .contains("stage fright in " + dir.resolve("state/rehearsal"))
        .contains("1.0.0 stays");
    assertThat(lost).hasValue(0);
    assertThat(installed()).containsExactly("greeter 1.0.0");
    assertThat(dir.resolve("state/rehearsal")).isEmptyDirectory();
    assertThat(dir.resolve("work/trace")).doesNotExist();

    // Where there was nothing before it is not left behind either.
    Files.delete(modules.resolve("greeter.jar"));
    await(() -> installed().isEmpty());
    greeter("1.2.0", StageFrightGreeter.class).build(modules.resolve("greeter.jar"));
    await(() -> deployments.verdicts().size() == 2);
    await(() -> installed().isEmpty());
    assertThat(holder()).isEmpty();
  }
}

package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.ByteArrayInputStream;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployments.Condition;
import org.mezzo.deployment.Verification;
import org.mezzo.deployment.greeting.Greeter;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.modules.GoodGreeter;
import org.mezzo.testing.bundles.ModuleBundle;
import org.slf4j.LoggerFactory;

/** What becomes of changes that somebody asks for. */
@Timeout(60)
final class RequestsTest extends DeploymentsInFramework {
  /** Lets the folder be looked at twice, for whatever may come of it. */
  private void awaitLooks() throws Exception {
    for (String name : List.of("one.jar", "two.jar")) {
      Path later = Files.writeString(modules.resolve(name), "no jar");
      await(() -> deployments.list().stream().anyMatch(d -> d.file().equals(name)));
      Files.delete(later);
      await(() -> deployments.list().stream().noneMatch(d -> d.file().equals(name)));
    }
  }

  /** A folder in the place of a file: not even root writes that. */
  private Path inTheWay(String name) throws Exception {
    return Files.writeString(
        Files.createDirectories(modules.resolve(name)).resolve("something"), "x");
  }

  /** Nobody may have looked in between. */
  @Test
  void aJarThatComesRightAfterItsNameWasUninstalledIsDeployed() throws Exception {
    Path jar = good("1.0.0", "greeter.jar");
    Path kept = Files.copy(jar, dir.resolve("kept.jar"));
    deploy();
    for (int i = 0; i < 5; i++) {
      await(() -> holder().equals("1.0.0"));
      assertThat(deployments.uninstall("greeter").toCompletableFuture().get().succeeded()).isTrue();
      Files.copy(kept, dir.resolve("next.jar"));
      Files.move(dir.resolve("next.jar"), jar);
    }
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void whatTheFolderCannotTakeHoldsUntilTheHostStopsAndSaysSo() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    Path obstacle = inTheWay("asked.jar");
    Path asked = greeter("2.0.0", GoodGreeter.class).build(dir.resolve("asked.jar"));
    Action swap = ask(asked);
    assertThat(swap.succeeded()).as(swap.outcome()).isTrue();
    assertThat(swap.outcome())
        .contains("it runs, but cannot be kept in " + modules)
        .contains("it is gone when this host stops")
        .contains("Make that folder writable and ask for it again");
    awaitLooks();
    assertThat(holder()).isEqualTo("2.0.0");
    assertThat(running()).containsExactly("greeter 2.0.0");
    assertThat(only().problem()).contains("it runs, but cannot be kept in " + modules);
    assertThat(deployments.history()).hasSize(2);
    assertThat(deployments.verdicts()).isEmpty();
    try (Stream<Path> files = Files.list(modules)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("greeter.jar", "asked.jar");
    }

    restart();
    await(() -> holder().equals("1.0.0"));
    assertThat(ask(asked).outcome()).contains("cannot be kept");
    Files.delete(obstacle);
    Files.delete(modules.resolve("asked.jar"));
    Action again = ask(asked);
    assertThat(again.succeeded()).isTrue();
    assertThat(again.outcome()).isEqualTo("exactly this jar is installed already");
    assertThat(modules.resolve("asked.jar")).exists();
    assertThat(modules.resolve("greeter.jar")).doesNotExist();
    await(() -> only().problem().isEmpty() && only().file().equals("asked.jar"));
  }

  @Test
  void whatTheFolderCouldNotTakeIsReplacedByWhatComesIntoIt() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    inTheWay("asked.jar");
    ask(greeter("2.0.0", GoodGreeter.class).build(dir.resolve("asked.jar")));
    assertThat(holder()).isEqualTo("2.0.0");
    good("3.0.0", "greeter.jar");
    await(() -> running().equals(List.of("greeter 3.0.0")));
    await(() -> deployments.history().size() == 3);
    assertThat(deployments.history()).allMatch(Action::succeeded);
  }

  /** A path that throws when it is read. */
  private static Path throwing(Error error) {
    return (Path)
        Proxy.newProxyInstance(
            RequestsTest.class.getClassLoader(),
            new Class<?>[] {Path.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("getFileName")) {
                return Path.of("greeter.jar");
              }
              throw error;
            });
  }

  @Test
  void anErrorEndsTheRequestAndNothingElse() throws Exception {
    deploy();
    CompletableFuture<Action> bad =
        deployments.install(throwing(new LinkageError("torn")), "Ada").toCompletableFuture();
    Path jar = greeter("1.0.0", GoodGreeter.class).build(dir.resolve("good.jar"));
    CompletableFuture<Action> queued = deployments.install(jar, "Ada").toCompletableFuture();
    await(bad::isDone);
    assertThatThrownBy(bad::get)
        .hasRootCauseInstanceOf(LinkageError.class)
        .hasMessageContaining("The change failed unexpectedly (java.lang.LinkageError: torn)");
    await(queued::isDone);
    assertThat(queued.get().succeeded()).isTrue();
    good("1.1.0", "good.jar");
    await(() -> running().equals(List.of("greeter 1.1.0")));
  }

  @Test
  void anErrorWhileTheFolderIsFollowedIsSaidOnceAndTheFolderIsFollowedOn() throws Exception {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger(BundleDeployments.class);
    logger.addAppender(log);
    try {
      deploy();
      failure = () -> new LinkageError("torn");
      awaitLine(log, "The module folder could not be followed; it is looked at again");
      int asked = patienceAsked.get();
      await(() -> patienceAsked.get() > asked + 2);
      failure = null;
      good("1.0.0", "greeter.jar");
      assertThat(last(1).symbolicName()).isEqualTo("greeter");
      assertThat(lines(log)).filteredOn(line -> line.contains("not be followed;")).hasSize(1);
    } finally {
      logger.detachAppender(log);
    }
  }

  @Test
  void whatIsAskedOfAHostThatStopsFailsAtOnce() throws Exception {
    deploy();
    BundleDeployments stopped = deployments;
    deployments = null;
    stopped.deactivate();
    CompletableFuture<Action> late = stopped.uninstall("greeter", "Ada").toCompletableFuture();
    await(late::isDone);
    assertThatThrownBy(late::get).hasMessageContaining("The host is stopping");
  }

  @Test
  void aNameThatIsNoneForAJarIsRefusedBeforeAnythingIsRead() throws Exception {
    deploy();
    Path jar = greeter("1.0.0", GoodGreeter.class).build(dir.resolve("good.jar"));
    byte[] bytes = Files.readAllBytes(jar);
    for (String name :
        List.of(
            "",
            ".jar",
            ".hidden.jar",
            "greeter",
            "greeter.zip",
            "../greeter.jar",
            "/greeter.jar",
            "a/b.jar",
            "a\\b.jar",
            "a\0b.jar",
            "a\nb.jar",
            "..")) {
      ByteArrayInputStream in = new ByteArrayInputStream(bytes);
      assertThatThrownBy(() -> deployments.install(name, in, "Ada"))
          .as(name)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is no name for a jar in the module folder")
          .hasMessageContaining("must end in .jar");
      assertThat(in.available()).isEqualTo(bytes.length);
    }
    for (String name : List.of(".hidden.jar", "greeter", "/")) {
      Path path = dir.resolve(name);
      assertThatThrownBy(() -> deployments.install(path, "Ada"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is no name for a jar in the module folder");
      assertThatThrownBy(() -> deployments.swap(path, "Ada"))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(deployments.history()).isEmpty();
    assertThat(modules).isEmptyDirectory();
  }

  @Test
  void aSymbolicNameThatCouldBeAPathIsRefused() throws Exception {
    deploy();
    int asked = 0;
    for (String name :
        List.of("../greeter", ".greeter", "a/b", "a\\b", "a b", "gr\u00fc\u00dfer")) {
      Path jar =
          greeter("1.0.0", GoodGreeter.class)
              .header("Bundle-SymbolicName", name)
              .build(dir.resolve("bad.jar"));
      Action action = ask(jar);
      assertThat(action.succeeded()).as(name).isFalse();
      assertThat(action.outcome())
          .contains("its Bundle-SymbolicName '" + name + "' is none")
          .contains("letters, digits, dots, hyphens and underscores");
      assertThat(deployments.history()).hasSize(++asked);
    }
    assertThat(modules).isEmptyDirectory();
    assertThat(installed()).isEmpty();
    Files.copy(dir.resolve("bad.jar"), modules.resolve("bad.jar"));
    await(() -> deployments.list().size() == 1);
    assertThat(only().state()).isEqualTo("unreadable");
    assertThat(only().problem()).contains("is none");
  }

  private Action rollback() throws Exception {
    return deployments.rollback("greeter", "Ada").toCompletableFuture().get();
  }

  @Test
  void goesBackToWhatRanBeforeAndStaysThereThoughTheOtherOneComesAgain() throws Exception {
    deploy();
    ask(greeter("1.0.0", GoodGreeter.class).build(dir.resolve("greeter.jar")));
    Path next = greeter("2.0.0", GoodGreeter.class).build(dir.resolve("next.jar"));
    assertThat(ask(next).succeeded()).isTrue();
    await(() -> holder().equals("2.0.0"));

    Action back = rollback();
    assertThat(back.succeeded()).as(back.outcome()).isTrue();
    assertThat(back.fromVersion()).isEqualTo("2.0.0");
    assertThat(back.toVersion()).isEqualTo("1.0.0");
    assertThat(back.principal()).isEqualTo("Ada");
    assertThat(holder()).isEqualTo("1.0.0");
    assertThat(files()).containsExactly("greeter-1.0.0.jar");
    assertThat(deployments.verdicts())
        .extracting(verdict -> verdict.version() + " " + verdict.reason())
        .containsExactly("2.0.0 Ada asked for that");

    Files.copy(next, modules.resolve("next.jar"));
    awaitLooks();
    assertThat(running()).containsExactly("greeter 1.0.0");
    restart();
    await(() -> holder().equals("1.0.0"));
    Action again = rollback();
    assertThat(again.succeeded()).isFalse();
    assertThat(again.outcome())
        .isEqualTo(
            "no other version ran before that is still kept and may run; history and verdicts tell"
                + " why; 1.0.0 stays");
    assertThat(ask(next).succeeded()).as("somebody asks for it").isTrue();
    assertThat(holder()).isEqualTo("2.0.0");
  }

  @Test
  void goesBackAlsoFromWhatHasLongProvenItselfAndAfterARestart() throws Exception {
    trialMillis = 0;
    deploy();
    ask(greeter("1.0.0", GoodGreeter.class).build(dir.resolve("greeter.jar")));
    ask(greeter("2.0.0", GoodGreeter.class).build(dir.resolve("greeter.jar")));
    await(() -> journal().matches("(?s).*GOOD\tgreeter\t2.0.0\t\\w+\ttrue.*"));
    await(() -> installed().equals(List.of("greeter 2.0.0")));
    restart();
    await(() -> holder().equals("2.0.0"));
    Action back = rollback();
    assertThat(back.succeeded()).as(back.outcome()).isTrue();
    assertThat(holder()).isEqualTo("1.0.0");
    assertThat(deployments.rollback("other", "Ada").toCompletableFuture().get().outcome())
        .isEqualTo("no module bundle has that symbolic name; installed are greeter");
  }

  private List<String> files() throws Exception {
    try (Stream<Path> files = Files.list(modules)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private Action ask(Path jar, Condition... conditions) throws Exception {
    return deployments
        .install(jar, "greeter.jar", Set.of(conditions), "Ada")
        .toCompletableFuture()
        .get();
  }

  @Test
  void aLowerVersionIsInstalledOnlyWhereThatIsMeant() throws Exception {
    deploy();
    Path lower = greeter("1.0.0", GoodGreeter.class).build(dir.resolve("lower.jar"));
    assertThat(ask(lower, Condition.REPLACES, Condition.NOT_LOWER).outcome())
        .contains("no installed module has that symbolic name; install it instead");
    ask(greeter("1.10.0", GoodGreeter.class).build(dir.resolve("greeter.jar")));
    Action refused = ask(lower, Condition.NOT_LOWER);
    assertThat(refused.succeeded()).isFalse();
    assertThat(refused.outcome())
        .isEqualTo(
            "its version 1.0.0 is lower than the 1.10.0 that is installed; swap it if you want"
                + " that, or roll back to what ran before; 1.10.0 stays");
    assertThat(holder()).isEqualTo("1.10.0");
    assertThat(deployments.verdicts()).isEmpty();
    assertThat(ask(lower, Condition.REPLACES).succeeded()).isTrue();
    assertThat(holder()).isEqualTo("1.0.0");
  }

  private Verification verify(Path jar) throws Exception {
    return deployments.verify(jar, "asked.jar").toCompletableFuture().get();
  }

  @Test
  void saysWhatWouldBecomeOfAJarWithoutAnyChange() throws Exception {
    deploy();
    ask(greeter("1.0.0", GoodGreeter.class).with("v", "a").build(dir.resolve("greeter.jar")));
    await(() -> holder().equals("1.0.0"));
    Path jar = dir.resolve("tried.jar");
    Verification good = verify(greeter("1.1.0", GoodGreeter.class).build(jar));
    assertThat(good.passed()).as("%s", good.problems()).isTrue();
    assertThat(good.symbolicName()).isEqualTo("greeter");
    assertThat(good.version()).isEqualTo("1.1.0");
    assertThat(good.digest()).isEqualTo(BundleStore.digest(jar));
    assertThat(good.modules()).containsExactly("greeter polite");
    assertThat(good.installed()).isEqualTo("1.0.0");
    assertThat(good.change()).isEqualTo("swap");
    assertThat(good.notes()).isEmpty();

    Verification lower = verify(greeter("0.9.0", GoodGreeter.class).build(jar));
    assertThat(lower.passed()).isTrue();
    assertThat(lower.notes()).hasSize(1);
    assertThat(lower.notes().get(0)).contains("0.9.0 is lower than the 1.0.0");
    Verification same = verify(other("1.0.0", "b", jar));
    assertThat(same.change()).isEqualTo("update");
    assertThat(same.notes().get(0)).contains("give it another version for a swap without a gap");
    assertThat(verify(modules.resolve("greeter.jar")).change()).isEqualTo("none");

    Verification lacking =
        verify(
            greeter("2.0.0", GoodGreeter.class)
                .header(
                    "Import-Package",
                    "org.mezzo.api,org.mezzo.deployment.greeting,org.words;version=\"[1.2,2)\"")
                .build(jar));
    assertThat(lacking.problems())
        .containsExactly(
            "it cannot be resolved: it needs the package org.words in version 1.2.0 up to but not"
                + " including 2.0.0, which no installed bundle provides");
    Verification rival =
        verify(
            ModuleBundle.of("rival", "1.0.0")
                .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
                .module(GoodGreeter.class, Greeter.class, "greeter", "polite")
                .build(jar));
    assertThat(rival.change()).isEqualTo("install");
    assertThat(rival.notes())
        .containsExactly(
            "greeter 1.0.0 has the module greeter polite, too; what is installed later is used");
    Files.writeString(jar, "no jar");
    assertThat(verify(jar).problems().get(0)).startsWith("it is no jar, or was cut off");
    assertThat(verify(jar).symbolicName()).isEmpty();

    assertThat(installed()).containsExactly("greeter 1.0.0");
    assertThat(running()).containsExactly("greeter 1.0.0");
    assertThat(deployments.history()).hasSize(1);
    assertThat(deployments.verdicts()).isEmpty();
    assertThat(holder()).isEqualTo("1.0.0");
    assertThat(lost).hasValue(0);
    // What was tried stands in nobody's way.
    ask(greeter("1.1.0", GoodGreeter.class).build(jar));
    assertThat(holder()).isEqualTo("1.1.0");
  }

  @Test
  void whatWasAskedForAndDoesNotRunIsNotLeftBehind() throws Exception {
    deploy();
    Path jar = dir.resolve("greeter.jar");
    Action unresolved =
        ask(
            greeter("1.0.0", GoodGreeter.class)
                .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting,org.words")
                .build(jar));
    assertThat(unresolved.outcome()).contains("it needs the package org.words");
    assertThat(deployments.verdicts()).as("it may be fine later").isEmpty();
    assertThat(installed()).isEmpty();
    assertThat(deployments.list()).isEmpty();

    Action thrown =
        ask(
            greeter("1.0.0", GoodGreeter.class)
                .header("Bundle-Activator", "no.such.Activator")
                .build(jar));
    assertThat(thrown.succeeded()).isFalse();
    assertThat(installed()).isEmpty();
    assertThat(files()).isEmpty();
    restart();
    assertThat(installed()).isEmpty();
    assertThat(deployments.list()).isEmpty();
    assertThat(ask(greeter("1.0.0", GoodGreeter.class).build(jar)).succeeded()).isTrue();
  }
}
